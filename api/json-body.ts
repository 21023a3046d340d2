import type { FastifyRequest } from 'fastify';
import { Fault } from '../model/fault.ts';

const deepest = 32;

/**
 * Reads a body as JSON. Refused: nesting over 32 (a parser's or a walker's stack), and the keys `__proto__` and
 * `constructor.prototype` at any depth, by which a later merge could poison every object of the process.
 */
export function readJson(
  _request: FastifyRequest,
  body: string | Buffer,
  done: (error: Error | null, value?: unknown) => void,
): void {
  const text = body.toString();
  if (depthOf(text) > deepest) return done(refused(`nested deeper than ${deepest}`));
  let poisoned = false;
  try {
    const value: unknown = JSON.parse(text, (key, held: unknown) => {
      if (
        key === '__proto__' ||
        (key === 'constructor' && isObject(held) && Object.hasOwn(held, 'prototype'))
      )
        poisoned = true;
      return held;
    });
    if (poisoned) return done(refused('a key that is not allowed'));
    done(null, value);
  } catch {
    done(refused('not JSON'));
  }
}

const refused = (cause: string): Fault => new Fault('API_REQUEST_INVALID', { cause: `body: ${cause}` });
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Deepest nesting of brackets outside strings, without parsing. */
export function depthOf(text: string): number {
  let depth = 0;
  let most = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (quoted) {
      if (code === 0x5c) at++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x7b || code === 0x5b) most = Math.max(most, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return most;
}
