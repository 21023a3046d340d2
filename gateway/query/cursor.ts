import { Fault } from '../../model/fault.ts';

/**
 * Where a page ended: the span that was asked for (so that a page asked for a minute later still is of the same one),
 * the window being read, and the store's own place in it.
 */
export interface Cursor {
  readonly fromMs: number;
  readonly toMs: number;
  /** Before this instant the time-series server answers. */
  readonly ownMs: number;
  readonly window: readonly [fromMs: number, toMs: number];
  readonly place?: string;
}

const version = 1;

export const writeCursor = ({ fromMs, toMs, ownMs, window, place }: Cursor): string =>
  Buffer.from(JSON.stringify([version, fromMs, toMs, ownMs, ...window, place ?? ''])).toString('base64url');

/** Throws STORE_CURSOR for what is none of ours. */
export function readCursor(text: string): Cursor {
  const parts = parsed(text);
  if (!Array.isArray(parts) || parts.length !== 7 || parts[0] !== version) throw new Fault('STORE_CURSOR');
  const [, fromMs, toMs, ownMs, begin, end, place] = parts as unknown[];
  for (const number of [fromMs, toMs, ownMs, begin, end])
    if (typeof number !== 'number') throw new Fault('STORE_CURSOR');
  if (typeof place !== 'string') throw new Fault('STORE_CURSOR');
  return {
    fromMs: fromMs as number,
    toMs: toMs as number,
    ownMs: ownMs as number,
    window: [begin as number, end as number],
    ...(place === '' ? {} : { place }),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch (error) {
    throw new Fault('STORE_CURSOR', {}, { cause: error });
  }
}
