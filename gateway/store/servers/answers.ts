/** What an answer of a time-series server to a write means; pure, a table of the field's lessons. */
import type { Fault, FaultCode } from '../../../model/fault.ts';
import type { Reply } from './transport.ts';

export type Verdict =
  | { readonly kind: 'stored' }
  /** Some lines were refused; the others may be stored. */
  | {
      readonly kind: 'linesRefused';
      readonly cause: string;
      /** Indexes of lines the server named. */
      readonly named: readonly number[];
      /** Older than the server keeps: nothing is wrong with them. */
      readonly tooOld: boolean;
    }
  | { readonly kind: 'tooLarge' }
  /** A person must act; it is tried again now and then all the same. */
  | { readonly kind: 'pause'; readonly code: FaultCode; readonly cause: string }
  /** Nothing is wrong with what was sent; tried again after a while, not before `afterMs`. */
  | { readonly kind: 'later'; readonly cause: string; readonly afterMs?: number };

/** `lines` is what was sent; `nowMs` is for a Retry-After that names an instant. */
export function verdictOf(reply: Reply, lines: readonly string[], nowMs: number): Verdict {
  if ('none' in reply) return { kind: 'later', cause: reply.none };
  const { status } = reply;
  if (status === 204 || status === 201 || status === 202) return { kind: 'stored' };
  const cause = causeOf(reply);
  switch (status) {
    case 200:
      // A write is answered with 204; a page with 200 comes from a proxy or from something else.
      return { kind: 'pause', code: 'SINK_STRANGE', cause: 'a write was answered with 200' };
    case 400:
    case 422:
      return {
        kind: 'linesRefused',
        cause,
        named: namedLines(reply.body, lines),
        tooOld: /beyond retention|outside retention|retention policy|too old/i.test(reply.body),
      };
    case 401:
      return { kind: 'pause', code: 'SINK_SECRET_REFUSED', cause };
    case 403:
      return { kind: 'pause', code: 'SINK_FORBIDDEN', cause };
    case 404:
      return { kind: 'pause', code: 'SINK_PLACE_UNKNOWN', cause };
    case 413:
      return { kind: 'tooLarge' };
    case 408:
    case 425:
    case 429:
      return later(reply, cause, nowMs);
    default:
      if (status >= 500) return later(reply, cause, nowMs);
      return { kind: 'pause', code: 'SINK_STRANGE', cause };
  }
}

function later(reply: Exclude<Reply, { none: string }>, cause: string, nowMs: number): Verdict {
  const afterMs = retryAfterMs(reply.headers['retry-after'], nowMs);
  return afterMs === undefined ? { kind: 'later', cause } : { kind: 'later', cause, afterMs };
}

/** An hour at most: a server that names next year is asked before. */
const mostRetryAfterMs = 3_600_000;

/** RFC 9110 10.2.3: seconds, or a date. */
export function retryAfterMs(header: unknown, nowMs: number): number | undefined {
  if (typeof header !== 'string') return undefined;
  const seconds = /^\s*\d+(\.\d+)?\s*$/.test(header) ? Number(header) : undefined;
  const ms = seconds === undefined ? Date.parse(header) - nowMs : seconds * 1_000;
  return Number.isFinite(ms) ? Math.min(mostRetryAfterMs, Math.max(0, ms)) : undefined;
}

interface ErrorBody {
  readonly error?: unknown;
  readonly message?: unknown;
  readonly data?: unknown;
}

function parsed(body: string): ErrorBody {
  try {
    const read: unknown = JSON.parse(body);
    return typeof read === 'object' && read !== null ? read : {};
  } catch {
    // A proxy answers with a page: the status alone speaks then.
    return {};
  }
}

/** The server's words for the log and the alarm: without what it quotes, for that holds values. */
export function causeOf(reply: Reply): string {
  if ('none' in reply) return reply.none;
  const { error, message } = parsed(reply.body);
  const said = typeof message === 'string' ? message : typeof error === 'string' ? error : '';
  const plain = said
    .replace(/'[^]*'/g, "'…'")
    .replace(/\s+/g, ' ')
    .slice(0, 200);
  return plain === '' ? `status ${reply.status}` : `status ${reply.status}: ${plain}`;
}

/**
 * Lines the server names: InfluxDB 3 by number (`data: [{ line_number }]`, from 1), 1.x and 2.x by quoting those it
 * cannot parse. Empty when it names none.
 */
function namedLines(body: string, lines: readonly string[]): number[] {
  const { data, error, message } = parsed(body);
  if (Array.isArray(data)) {
    const numbers = data.map((one: { line_number?: unknown } | null) => Number(one?.line_number) - 1);
    return [...new Set(numbers)].filter((at) => Number.isInteger(at) && at >= 0 && at < lines.length);
  }
  const said = `${typeof error === 'string' ? error : ''}\n${typeof message === 'string' ? message : ''}`;
  if (!said.includes('unable to parse')) return [];
  return lines.flatMap((line, at) => (said.includes(`unable to parse '${line}'`) ? [at] : []));
}

export type PauseFault = Pick<Fault, 'code' | 'details'>;
