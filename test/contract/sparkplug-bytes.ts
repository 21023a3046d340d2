/** Sparkplug B payloads by hand, from the field numbers of the specification; the reader's library is not asked. */
export interface SparkplugDraft {
  readonly name?: string;
  readonly alias?: number;
  /** Decimal digits of ms. */
  readonly timestamp?: string;
  readonly datatype?: number;
  readonly isHistorical?: boolean;
  readonly isNull?: boolean;
  readonly longValue?: string;
  readonly floatValue?: number;
}

export const sparkplugBytes = (metrics: readonly SparkplugDraft[], timestamp?: string): Buffer =>
  Buffer.concat([
    ...(timestamp === undefined ? [] : [key(1, 0), varint(BigInt(timestamp))]),
    ...metrics.flatMap((metric) => lengthed(2, metricBytes(metric))),
  ]);

function metricBytes(metric: SparkplugDraft): Buffer {
  const { name, alias, timestamp, datatype, isHistorical, isNull, longValue, floatValue } = metric;
  return Buffer.concat([
    ...(name === undefined ? [] : lengthed(1, Buffer.from(name))),
    ...(alias === undefined ? [] : [key(2, 0), varint(BigInt(alias))]),
    ...(timestamp === undefined ? [] : [key(3, 0), varint(BigInt(timestamp))]),
    ...(datatype === undefined ? [] : [key(4, 0), varint(BigInt(datatype))]),
    ...(isHistorical ? [key(5, 0), varint(1n)] : []),
    ...(isNull ? [key(7, 0), varint(1n)] : []),
    ...(longValue === undefined ? [] : [key(11, 0), varint(BigInt(longValue))]),
    ...(floatValue === undefined ? [] : [key(12, 5), float(floatValue)]),
  ]);
}

const key = (field: number, wire: number): Buffer => varint(BigInt((field << 3) | wire));
const lengthed = (field: number, bytes: Buffer): Buffer[] => [
  key(field, 2),
  varint(BigInt(bytes.length)),
  bytes,
];

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = value;
  do {
    const more = left > 127n;
    bytes.push(Number(left & 127n) | (more ? 128 : 0));
    left >>= 7n;
  } while (left > 0n);
  return Buffer.from(bytes);
}
