import type { Cancel, Clock } from '../model/clock.ts';
import type { Fault } from '../model/fault.ts';

/** One refusal at the front door, as it happened. */
export interface Refusal {
  readonly fault: Fault;
  /** The client id that was given, if it can be an id. */
  readonly client?: string;
  readonly address: string;
  readonly topic?: string;
}

export interface BrokerLog {
  warn(details: Readonly<Record<string, unknown>>, text: string): void;
  info(details: Readonly<Record<string, unknown>>, text: string): void;
}

export interface Refusals {
  note(refusal: Refusal): void;
  /** Refusals since the start, by fault code. */
  counts(): Readonly<Record<string, number>>;
  close(): void;
}

interface Line {
  count: number;
  logged: number;
  readonly refusal: Refusal;
}

const periodMs = 60_000;

/**
 * Counts every refusal and writes one line a minute for each client and code: the first at once, so that whoever
 * stands at the device sees it, the rest with their number when the minute is over.
 */
export function createRefusals(options: {
  readonly clock: Clock;
  readonly log: BrokerLog;
  /** Clients told apart within a minute; further ones share a line. */
  readonly most: number;
  /** Hears every refusal. */
  refused(refusal: Refusal): void;
}): Refusals {
  const { clock, log, most } = options;
  const totals = new Map<string, number>();
  let lines = new Map<string, Line>();
  const write = (line: Line, count: number): void => {
    const { fault, client, address, topic } = line.refusal;
    const details = { code: fault.code, client, address, topic, count };
    log.warn(details, fault.message);
  };
  const stop: Cancel = clock.every(periodMs, () => {
    const past = lines;
    lines = new Map();
    for (const line of past.values()) if (line.count > line.logged) write(line, line.count - line.logged);
  });

  return {
    note: (refusal) => {
      const { code } = refusal.fault;
      totals.set(code, (totals.get(code) ?? 0) + 1);
      const who = `${code} ${refusal.client ?? refusal.address}`;
      const key = lines.has(who) || lines.size < most ? who : code;
      let line = lines.get(key);
      if (!line) {
        line = { count: 0, logged: 1, refusal };
        lines.set(key, line);
        write(line, 1);
      }
      line.count++;
      options.refused(refusal);
    },
    counts: () => Object.fromEntries(totals),
    close: stop,
  };
}

/** A name from the wire as it may stand in a log: no control or direction character, and short. */
export const plainName = (name: string): string =>
  name
    .slice(0, 128)
    .replace(/[^\x20-\x7e]/g, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
