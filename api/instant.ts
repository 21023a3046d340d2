import { Fault } from '../model/fault.ts';

/** RFC 3339 with its zone, or ms since 1970. */
export const instantPattern =
  '^([0-9]{1,16}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2}))$';

/** Throws API_REQUEST_INVALID for a day or hour that does not exist. */
export function instantOf(text: string, path: string): number {
  const ms = /^[0-9]+$/.test(text) ? Number(text) : Date.parse(text);
  if (!Number.isFinite(ms) || ms > 8.64e15)
    throw new Fault('API_REQUEST_INVALID', { cause: `${path} is no instant` });
  return ms;
}
