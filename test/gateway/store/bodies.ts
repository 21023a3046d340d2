import {
  batchName,
  deviceName,
  kinds,
  ObservationBatchBuilder,
  packFlags,
  packReason,
} from '../../../journal/observation-batch.ts';
import type { BodyFacts } from '../../../journal/types.ts';
import { seriesKey, splitKey } from '../../../model/observation.ts';
import type { StoredRow } from '../../../gateway/store/types.ts';

/** One message with its observations, as plain rows. */
export type Message = readonly StoredRow[];

/** A body as the front door makes it, from rows; rows of one message share device, boot, seq and receipt. */
export function bodyOf(messages: readonly Message[]): { body: Uint8Array; facts: BodyFacts } {
  const builder = new ObservationBatchBuilder();
  const devices = new Map<string, ReturnType<typeof deviceName>>();
  const keys = new Map<string, ReturnType<typeof batchName>>();
  for (const message of messages) {
    const first = message[0];
    if (!first) continue;
    const name = `${first.device} ${first.boot}`;
    const device = devices.get(name) ?? deviceName(first.device, first.boot);
    devices.set(name, device);
    builder.message(device, first.seq, first.receivedAtMs, 0, 0);
    for (const row of message) {
      const word = seriesKey(row.metric, row.channel);
      const key = keys.get(word) ?? batchName(word);
      keys.set(word, key);
      const flags = packFlags(row.validity, kindOf(row), row.historical, row.unplaced);
      builder.observation(key, row.takenAtMs, row.value ?? NaN, flags, packReason(row.reason));
      if (row.text !== undefined) builder.text(row.text);
      if (row.code !== undefined) builder.text([row.code, row.system ?? '']);
    }
  }
  const facts = {
    messages: builder.messages,
    observations: builder.observations,
    firstAtMs: builder.firstAtMs,
    lastAtMs: builder.lastAtMs,
  };
  return { body: builder.seal({ received: 0, kept: 0, ledgered: 0, quarantined: 0, duplicate: 0 }), facts };
}

const kindOf = (row: StoredRow): number => {
  if (row.text !== undefined) return kinds.text;
  if (row.code !== undefined) return kinds.code;
  return row.value === null ? kinds.none : kinds.number;
};

/** A plain valid number. */
export function numberRow(
  device: string,
  key: string,
  takenAtMs: number,
  value: number,
  seq: number,
): StoredRow {
  return {
    device,
    ...splitKey(key),
    takenAtMs,
    receivedAtMs: takenAtMs + 5,
    value,
    validity: 'valid',
    boot: 'b1',
    seq,
    historical: false,
    unplaced: false,
  };
}
