import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openHistorian } from '../gateway/store/historian.ts';
import { openJournal } from '../journal/journal.ts';
import {
  batchName,
  deviceName,
  ObservationBatchBuilder,
  type BatchName,
} from '../journal/observation-batch.ts';
import type { BodyFacts, Journal } from '../journal/types.ts';
import { systemClock } from '../model/clock.ts';
import { median, pauseMs } from './peer.ts';
import { BodyMaker, dayDevice, daySeries, playDay } from './store-day.ts';

const messagesABatch = 256;
const columnsABatch = 16_384;
/** Handed to the journal and not yet on disk: then the giver waits. */
const mostPendingBytes = 8 * 1024 * 1024;
const rounds = 3;

export interface AppendRates {
  /** Observation objects in; encoded, checksummed and synced by the journal's builder and writer, the historian reading along. */
  readonly appendObjectsPerS: number;
  /** The same from columns. */
  readonly appendBatchedPerS: number;
}

/** Rates of keeping, each the median of three rounds in a journal of its own on the disk of the temporary folder. */
export async function measureAppend(seconds: number): Promise<AppendRates> {
  const objects: number[] = [];
  const columns: number[] = [];
  for (let round = 0; round < rounds; round++) {
    objects.push(await inJournal((journal) => appendObjects(journal, seconds)));
    columns.push(await inJournal((journal) => appendColumns(journal, seconds)));
    console.log(
      `append, round ${round + 1}: ${perS(objects.at(-1))} from objects, ${perS(columns.at(-1))} from columns`,
    );
  }
  return { appendObjectsPerS: median(objects), appendBatchedPerS: median(columns) };
}

async function inJournal(run: (journal: Journal) => Promise<number>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-append-'));
  const journal = await openJournal({
    folder: join(folder, 'journal'),
    segmentBytes: 16 << 20,
    maxBytes: 4 * 2 ** 30,
    snapshot: () => undefined,
    lost: (loss) => console.error('lost', loss),
    faulty: (fault) => console.error(fault.message),
  });
  const historian = await openHistorian({
    folder: join(folder, 'historian'),
    journal,
    clock: systemClock(),
    told: (fault) => console.error(fault.message),
  });
  try {
    return await run(journal);
  } finally {
    await historian.close();
    await journal.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Hands bodies over until the time is up, never more than the bound ahead of the disk; answers observations a second. */
async function give(
  journal: Journal,
  seconds: number,
  next: () => { body: Uint8Array; facts: BodyFacts },
): Promise<number> {
  let kept = 0;
  let waiting = 0;
  const settled = (facts: BodyFacts, bytes: number) => (outcome: unknown) => {
    waiting -= bytes;
    if (outcome === 'kept') kept += facts.observations;
    else throw new Error('the journal refused');
  };
  const startedMs = performance.now();
  while (performance.now() - startedMs < seconds * 1_000) {
    const { body, facts } = next();
    waiting += body.length;
    journal.append('numerics', body, facts, settled(facts, body.length));
    while (waiting > mostPendingBytes) await breath();
    await breath();
  }
  while (waiting > 0) await pauseMs(1);
  return kept / ((performance.now() - startedMs) / 1_000);
}

const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function appendObjects(journal: Journal, seconds: number): Promise<number> {
  const messages = [...playDay({ devices: 40, fromMs: Date.now() - 600_000, seconds: 500 })];
  const maker = new BodyMaker();
  let at = 0;
  return give(journal, seconds, () => {
    for (let count = 0; count < messagesABatch; count++) {
      const message = messages[at++ % messages.length];
      if (message) maker.add(message);
    }
    return maker.seal();
  });
}

/** One device a body, eight values a message, as columns that a driver host or an import would hold. */
function appendColumns(journal: Journal, seconds: number): Promise<number> {
  const width = daySeries.length;
  const taken = new Float64Array(columnsABatch);
  const value = new Float64Array(columnsABatch);
  for (let at = 0; at < columnsABatch; at++) value[at] = 60 + (at % 40);
  const keys = daySeries.map((key): BatchName => batchName(key));
  const builder = new ObservationBatchBuilder();
  let seq = 0;
  return give(journal, seconds, () => {
    const device = deviceName(dayDevice(seq % 100), 'b7f39e01c4d2a6f0');
    const fromMs = Date.now();
    taken.fill(fromMs);
    for (let at = 0; at < columnsABatch;) {
      builder.message(device, seq++, fromMs, 0, 0);
      for (const key of keys) {
        builder.observation(key, taken[at] ?? 0, value[at] ?? 0, 0, 0);
        at++;
      }
    }
    const facts = {
      messages: columnsABatch / width,
      observations: columnsABatch,
      firstAtMs: fromMs,
      lastAtMs: fromMs,
    };
    return { facts, body: builder.seal({ received: 0, kept: 0, ledgered: 0, quarantined: 0, duplicate: 0 }) };
  });
}

const perS = (rate = 0): string => `${Math.round(rate).toLocaleString('en')}/s`;
