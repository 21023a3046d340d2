import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  batchName,
  deviceName,
  kinds,
  ObservationBatchBuilder,
  packFlags,
} from '../journal/observation-batch.ts';
import { openJournal } from '../journal/journal.ts';
import { openSink } from '../journal/sink.ts';
import type { Journal } from '../journal/types.ts';
import { pauseMs } from './peer.ts';
import { percentiles } from './percentiles.ts';

export interface BacklogOptions {
  /** Observations that wait when the sink comes back. */
  readonly waiting: number;
  readonly seconds: number;
  readonly backlogPerS: number;
}

const devices = 200;
const valuesOfMessage = 6;
const messagesOfBatch = 200;
const hourMs = 3_600_000;

/**
 * The journal alone: a sink comes back to an hour's backlog while 1,000 messages of 6 values a second go on arriving. How
 * late live batches reach it, and how fast the backlog goes beside them. The last line is one JSON object.
 */
export async function benchBacklog({ waiting, seconds, backlogPerS }: BacklogOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-bench-backlog-'));
  const journal = await openJournal({
    folder: join(folder, 'journal'),
    segmentBytes: 16 << 20,
    maxBytes: 8 * 1024 ** 3,
    snapshot: () => undefined,
    lost: (loss) => console.log(`lost: ${JSON.stringify(loss)}`),
    faulty: (fault) => console.log(fault.message),
  });
  try {
    const began = performance.now();
    for (let written = 0; written < waiting; written += messagesOfBatch * valuesOfMessage)
      await append(journal, messagesOfBatch, Date.now() - hourMs);
    console.log(
      `${waiting.toLocaleString('en')} observations wait, written in ${((performance.now() - began) / 1_000).toFixed(0)} s`,
    );
    const found = await deliver(journal, { seconds, backlogPerS });
    console.log(JSON.stringify({ waiting, backlogPerS, ...found, load: loadavg()[0] }));
  } finally {
    await journal.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function deliver(
  journal: Journal,
  { seconds, backlogPerS }: Omit<BacklogOptions, 'waiting'>,
): Promise<object> {
  const lags: number[] = [];
  let live = 0;
  let backlog = 0;
  const sink = openSink(
    journal,
    {
      id: 'bench',
      kind: 'twoLane',
      classes: ['numerics'],
      window: { batches: 64, bytes: 8 << 20 },
      backlogPerS,
    },
    ({ klass, number, lane, facts }) => {
      if (lane === 'backlog') backlog += facts.observations;
      else {
        live += facts.observations;
        lags.push(Date.now() - facts.firstAtMs);
      }
      sink.delivered(klass, [[number, number + 1]]);
    },
  );
  const started = performance.now();
  let sent = 0;
  while (performance.now() - started < seconds * 1_000) {
    for (const due = (performance.now() - started) / 5; sent < due; sent++)
      void append(journal, 5, Date.now());
    await pauseMs(1);
  }
  await pauseMs(1_000);
  const took = (performance.now() - started) / 1_000;
  sink.close();
  return {
    liveLagMs: percentiles(lags),
    liveGiven: live,
    liveSent: sent * 5 * valuesOfMessage,
    backlogGivenPerS: Math.round(backlog / took),
  };
}

const builder = new ObservationBatchBuilder();
const names = Array.from({ length: devices }, (_, index) => deviceName(`device-${index}`, 'bench'));
const keys = Array.from({ length: valuesOfMessage }, (_, index) => batchName(`MDC_BENCH_${index}`));
const flags = packFlags('valid', kinds.number, false, false);
let seq = 0;

function append(journal: Journal, messages: number, atMs: number): Promise<void> {
  for (let message = 0; message < messages; message++) {
    const name = names[seq % devices];
    if (!name) continue;
    builder.message(name, seq, atMs, seq, ~seq);
    for (const [index, key] of keys.entries())
      builder.observation(key, atMs, 60 + ((seq + index) % 40), flags, 0);
    seq++;
  }
  const { observations } = builder;
  const facts = { messages, observations, firstAtMs: atMs, lastAtMs: atMs };
  const body = builder.seal({ received: 0, kept: 0, ledgered: 0, quarantined: 0, duplicate: 0 });
  return new Promise((resolve, reject) =>
    journal.append('numerics', body, facts, (outcome) => (outcome === 'kept' ? resolve() : reject(outcome))),
  );
}
