import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Intake } from '../../../gateway/intake/intake.ts';
import { Ledger, type Loss } from '../../../gateway/intake/ledger.ts';
import type { WaveHead } from '../../../gateway/intake/wave-head.ts';
import type { LiveSeries } from '../../../gateway/intake/types.ts';
import { openJournal } from '../../../journal/journal.ts';
import {
  readObservationBatch,
  isObservationBatch,
  flagsValidity,
  unpackReason,
  flagsHistorical,
  type Counters,
} from '../../../journal/observation-batch.ts';
import { isRecordBatch, readRecords } from '../../../journal/record-batch.ts';
import { systemClock, type Clock } from '../../../model/clock.ts';
import type { Fault } from '../../../model/fault.ts';

export interface KeptObservation {
  readonly device: string;
  readonly boot: string;
  readonly seq: number;
  readonly key: string;
  readonly value: number;
  readonly validity: string;
  readonly reason: string | undefined;
  readonly takenAtMs: number;
  readonly historical: boolean;
}

/** An intake on a real journal in a temporary folder. */
export async function openIntake({
  clock = systemClock(),
  folder = mkdtempSync(join(tmpdir(), 'vigil-intake-')),
  keepFolder = false,
}: { clock?: Clock; folder?: string; keepFolder?: boolean } = {}) {
  const counters: Counters = { received: 0, kept: 0, ledgered: 0, quarantined: 0, duplicate: 0 };
  const losses: Loss[] = [];
  const samples: {
    key: string;
    takenAtMs: number;
    value: number;
    questionable: boolean;
    historical: boolean;
  }[] = [];
  const faults: { device: string; fault: Fault }[] = [];
  const unusable: { key: string; reason: string | undefined }[] = [];
  const states: unknown[] = [];
  const waves: ({ device: string; bytes: Uint8Array } & WaveHead)[] = [];
  const held: { intake?: Intake } = {};
  const journal = await openJournal({
    folder: join(folder, 'journal'),
    segmentBytes: 1 << 20,
    maxBytes: 64 << 20,
    snapshot: () => held.intake?.snapshot(),
    lost: () => undefined,
    faulty: () => undefined,
  });
  const ledger = new Ledger({
    file: join(folder, 'reserve'),
    bytes: 128 * 1024,
    settle: async (settled) => void losses.push(...settled),
  });
  const opened = new Intake({
    clock,
    journal,
    ledger,
    counters,
    commitMs: 5,
    commitMessages: 256,
    unrecordedAfterMs: 2_000,
    replaceWriterAfterMs: 10_000,
    listeners: {
      seriesSeen: (series: LiveSeries) => {
        series.watch = {
          sample: (takenAtMs, value, questionable, historical) =>
            void samples.push({ key: series.key, takenAtMs, value, questionable, historical }),
        };
      },
      messageTaken: () => undefined,
      unusable: (series, _takenAtMs, reason) => void unusable.push({ key: series.key, reason }),
      waveform: (device, wave, bytes) => void waves.push({ device, ...wave, bytes }),
      alerts: (device, alerts) => void states.push({ device, alerts }),
      deviceState: (device, state) => void states.push({ device, ...state }),
    },
    recordingChanged: () => undefined,
    deviceFault: (device, fault) => void faults.push({ device, fault }),
  });
  held.intake = opened;
  await opened.recover();

  const publish = (
    device: string,
    payload: unknown,
    branch: 'observations' | 'alerts' | 'waveforms' | 'state' = 'observations',
    will = false,
  ): Promise<void> =>
    new Promise((confirmed) => {
      const bytes = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
      opened.take({ topic: { kind: 'device', device, branch }, payload: bytes, will }, confirmed);
    });

  const close = async (): Promise<void> => {
    await opened.drain();
    opened.close();
    await journal.close();
    await ledger.close();
  };

  return {
    intake: opened,
    journal,
    ledger,
    counters,
    samples,
    faults,
    unusable,
    states,
    waves,
    losses,
    folder,
    publish,
    close,
    /** Closes, reads the journal back, and answers what is in it. */
    async kept(): Promise<{ observations: KeptObservation[]; records: Record<string, unknown>[] }> {
      await close();
      const observations: KeptObservation[] = [];
      const records: Record<string, unknown>[] = [];
      const again = await openJournal({
        folder: join(folder, 'journal'),
        segmentBytes: 1 << 20,
        maxBytes: 64 << 20,
        snapshot: () => undefined,
        lost: () => undefined,
        faulty: () => undefined,
      });
      await again.recover((_klass, number, body) => {
        if (number < 0) return;
        if (isRecordBatch(body))
          records.push(...readRecords(body).map(({ head }) => head as Record<string, unknown>));
        else if (isObservationBatch(body)) observations.push(...unfold(body));
      });
      await again.close();
      if (!keepFolder) rmSync(folder, { recursive: true });
      return { observations, records };
    },
  };
}

function unfold(body: Uint8Array): KeptObservation[] {
  const batch = readObservationBatch(body);
  const rows: KeptObservation[] = [];
  let at = 0;
  for (let message = 0; message < batch.messages; message++) {
    const { device = '', boot = '' } = batch.devices[batch.deviceIndex[message] ?? 0] ?? {};
    for (let left = batch.count[message] ?? 0; left > 0; left--, at++) {
      const flags = batch.flags[at] ?? 0;
      rows.push({
        device,
        boot,
        seq: batch.seq[message] ?? -1,
        key: batch.keys[batch.keyIndex[at] ?? 0] ?? '',
        value: batch.value[at] ?? NaN,
        validity: flagsValidity(flags),
        reason: unpackReason(batch.reason[at] ?? 0),
        takenAtMs: batch.takenAtMs[at] ?? 0,
        historical: flagsHistorical(flags),
      });
    }
  }
  return rows;
}
