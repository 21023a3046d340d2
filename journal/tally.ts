/**
 * The running counters of the front door by sender and hour of receipt, as the last bytes of a body: what was counted
 * when the body was made, in all of this run of the process and this class. Each later body says the same or more of
 * a sender's hour, so one that is lost takes no count with it, and the greatest is the truth.
 *
 * u32 magic; run and the rows as LEB128 numbers and length-prefixed names; then u32 bytes in all, u32 magic again.
 */
export const hourMs = 3_600_000;

export interface TallyRow {
  readonly device: string;
  /** Hours since 1970. */
  readonly hour: number;
  /** Observations; received = kept + ledgered + quarantined + duplicate. */
  readonly received: number;
  readonly duplicate: number;
  /** Of the duplicates those that were sent as historical. */
  readonly historical: number;
  readonly quarantined: number;
}

export interface Tally {
  /** Which run of the process counted: counters begin anew with each. */
  readonly run: number;
  readonly rows: readonly TallyRow[];
}

const magic = 0x31425456; // "VTB1"
const mostNumberBytes = 8;

export function packTally({ run, rows }: Tally): Uint8Array {
  const names = rows.reduce((sum, { device }) => sum + device.length, 0);
  const bytes = Buffer.allocUnsafe(12 + (2 + rows.length * 6) * mostNumberBytes + names * 3);
  bytes.writeUInt32LE(magic, 0);
  let at = putNumber(bytes, 4, run);
  at = putNumber(bytes, at, rows.length);
  let before = 0;
  for (const row of rows) {
    const length = bytes.write(row.device, at + 1, 'utf8');
    bytes[at] = length;
    at += 1 + length;
    // Rows of one body are of one hour, save at its turn.
    at = putNumber(bytes, at, row.hour >= before ? (row.hour - before) * 2 : (before - row.hour) * 2 + 1);
    before = row.hour;
    at = putNumber(bytes, at, row.received);
    at = putNumber(bytes, at, row.duplicate);
    at = putNumber(bytes, at, row.historical);
    at = putNumber(bytes, at, row.quarantined);
  }
  bytes.writeUInt32LE(at + 8, at);
  bytes.writeUInt32LE(magic, at + 4);
  return bytes.subarray(0, at + 8);
}

/** Undefined when the body carries none. */
export function readTally(body: Uint8Array): Tally | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes.length < 14 || bytes.readUInt32LE(bytes.length - 4) !== magic) return undefined;
  const length = bytes.readUInt32LE(bytes.length - 8);
  const start = bytes.length - length;
  if (start < 0 || bytes.readUInt32LE(start) !== magic) return undefined;
  let at = start + 4;
  const number = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const run = number();
  const count = number();
  let hour = 0;
  const rows = Array.from({ length: count }, (): TallyRow => {
    const end = at + 1 + (bytes[at] ?? 0);
    const device = bytes.toString('utf8', at + 1, end);
    at = end;
    const step = number();
    hour += step % 2 === 0 ? step / 2 : -(step - 1) / 2;
    return {
      device,
      hour,
      received: number(),
      duplicate: number(),
      historical: number(),
      quarantined: number(),
    };
  });
  return { run, rows };
}

function putNumber(bytes: Buffer, at: number, value: number): number {
  let rest = value;
  let end = at;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[end++] = (rest % 128) | 128;
  bytes[end++] = rest;
  return end;
}
