import { Fault } from '../model/fault.ts';

export interface PageAsked {
  readonly limit?: number;
  readonly cursor?: string;
}

/**
 * One page of a list that is held in memory, in order of `key`. The cursor is the key of the last item, so items that
 * come and go between two pages shift nothing.
 */
export function pageBy<T>(
  items: readonly T[],
  asked: PageAsked,
  key: (item: T) => string,
): { items: readonly T[]; next?: string } {
  const limit = asked.limit ?? 200;
  const after = asked.cursor === undefined ? undefined : fromCursor(asked.cursor);
  const rest = items
    .map((item) => ({ item, key: key(item) }))
    .filter((entry) => after === undefined || entry.key > after)
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  const next = rest.length > limit && last ? toCursor(last.key) : undefined;
  return { items: page.map((entry) => entry.item), ...(next === undefined ? {} : { next }) };
}

const toCursor = (key: string): string => Buffer.from(key, 'utf8').toString('base64url');

function fromCursor(cursor: string): string {
  if (!/^[A-Za-z0-9_-]*$/.test(cursor))
    throw new Fault('API_REQUEST_INVALID', { cause: 'cursor is none of ours' });
  return Buffer.from(cursor, 'base64url').toString('utf8');
}
