/**
 * The body of a journal batch of whole messages: alerts, waveforms, raw and quarantined payloads, and everything a
 * driver host sends. Each record is a small JSON head and the bytes as they were.
 */
export interface BatchRecord {
  readonly head: Readonly<Record<string, unknown>>;
  readonly payload: Uint8Array;
}

const magic = 0x31425256; // "VRB1"
const noTail = new Uint8Array();

/** u32 magic, u32 count, then per record u32 head length, u32 payload length, head, payload; `tail` behind them. */
export function packRecords(records: readonly BatchRecord[], tail: Uint8Array = noTail): Uint8Array {
  const encoder = new TextEncoder();
  const heads = records.map((record) => encoder.encode(JSON.stringify(record.head)));
  const total = records.reduce(
    (sum, record, index) => sum + 8 + (heads[index]?.length ?? 0) + record.payload.length,
    8,
  );
  const body = new Uint8Array(total + tail.length);
  const view = new DataView(body.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, records.length, true);
  let at = 8;
  for (const [index, record] of records.entries()) {
    const head = heads[index] ?? new Uint8Array();
    view.setUint32(at, head.length, true);
    view.setUint32(at + 4, record.payload.length, true);
    body.set(head, at + 8);
    body.set(record.payload, at + 8 + head.length);
    at += 8 + head.length + record.payload.length;
  }
  body.set(tail, at);
  return body;
}

export const isRecordBatch = (body: Uint8Array): boolean =>
  body.length >= 8 && new DataView(body.buffer, body.byteOffset).getUint32(0, true) === magic;

/** Payloads are views into the body. Throws a RangeError when the body is not one of ours. */
export function readRecords(body: Uint8Array): BatchRecord[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (view.getUint32(0, true) !== magic) throw new RangeError('not a record batch');
  const decoder = new TextDecoder();
  const records: BatchRecord[] = [];
  let at = 8;
  for (let left = view.getUint32(4, true); left > 0; left--) {
    const headLength = view.getUint32(at, true);
    const payloadLength = view.getUint32(at + 4, true);
    const head = JSON.parse(
      decoder.decode(body.subarray(at + 8, at + 8 + headLength)),
    ) as BatchRecord['head'];
    const payload = body.subarray(at + 8 + headLength, at + 8 + headLength + payloadLength);
    records.push({ head, payload });
    at += 8 + headLength + payloadLength;
  }
  return records;
}
