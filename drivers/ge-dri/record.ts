export const mainTypes = { physiological: 0, wave: 1, alarm: 4 } as const;

export interface Record {
  readonly mainType: number;
  /** By the monitor's clock, seconds since 1970. */
  readonly timeS: number;
  readonly parts: readonly Part[];
}
export interface Part {
  readonly type: number;
  /** From its offset to the next part's, or to the end of the record. */
  readonly bytes: Buffer;
}

const headerLength = 40;
const endOfList = 0xff;

/** A record whose frame was right; in words why its parts are not. */
export function readRecord(record: Buffer): Record | string {
  const data = record.subarray(headerLength);
  const found: { type: number; offset: number }[] = [];
  for (let each = 0; each < 8; each++) {
    const at = 16 + each * 3;
    const type = record.readUInt8(at + 2);
    if (type === endOfList) break;
    const offset = record.readInt16LE(at);
    if (offset < 0 || offset > data.length) return 'a part lies outside of the record';
    found.push({ type, offset });
  }
  const parts = found.map(({ type, offset }): Part => {
    const next = found.map((other) => other.offset).filter((other) => other > offset);
    return { type, bytes: data.subarray(offset, Math.min(data.length, ...next)) };
  });
  return { mainType: record.readInt16LE(14), timeS: record.readUInt32LE(6), parts };
}
