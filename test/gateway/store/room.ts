import { join } from 'node:path';
import { expect } from 'vitest';
import { openHistorian, type EmbeddedHistorian } from '../../../gateway/store/historian.ts';
import type { HistorianBounds } from '../../../gateway/store/historian-protocol.ts';
import { openJournal } from '../../../journal/journal.ts';
import type { Journal } from '../../../journal/types.ts';
import { systemClock } from '../../../model/clock.ts';
import type { Fault } from '../../../model/fault.ts';
import { bodyOf, numberRow } from './bodies.ts';

export const clock = systemClock();
export const heart = 'MDC_ECG_HEART_RATE';
export const everything = [{ device: 'mx-1', fromMs: 0, toMs: 1e15 }];

/** Journal and historian in one folder, as the gateway has them. */
export async function openRoom(folder: string, bounds: Partial<HistorianBounds> = {}) {
  const faults: Fault[] = [];
  const journal = await openJournal({
    folder: join(folder, 'journal'),
    segmentBytes: 1 << 20,
    maxBytes: 64 << 20,
    snapshot: () => undefined,
    lost: () => undefined,
    faulty: (fault) => faults.push(fault),
  });
  const open = (): Promise<EmbeddedHistorian> =>
    openHistorian({
      folder: join(folder, 'store'),
      journal,
      clock,
      told: (fault) => faults.push(fault),
      ...bounds,
    });
  let historian = await open();
  return {
    journal,
    faults,
    get historian() {
      return historian;
    },
    reopen: async () => {
      await historian.close();
      historian = await open();
    },
    [Symbol.asyncDispose]: async () => {
      await historian.close();
      await journal.close();
    },
  };
}

let seq = 0;
/** Ten seconds of one heart, one message a second; resolves when the journal has kept it. */
export function keep(journal: Journal, atMs: number, seconds = 10): Promise<void> {
  const messages = Array.from({ length: seconds }, (_, second) => [
    numberRow('mx-1', heart, atMs + second * 1_000, 60 + second, seq++),
  ]);
  const { body, facts } = bodyOf(messages);
  return new Promise((resolve, reject) =>
    journal.append('numerics', body, facts, (outcome) => (outcome === 'kept' ? resolve() : reject(outcome))),
  );
}

export const countOf = async (historian: EmbeddedHistorian): Promise<number> => {
  const { rows } = await historian.range(everything, { limit: 10_000 });
  expect(new Set(rows.map((row) => row.seq)).size).toBe(rows.length);
  return rows.length;
};
