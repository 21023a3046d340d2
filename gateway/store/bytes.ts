/** Growing bytes, and bytes read one after the other. Little-endian. */
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class ByteWriter {
  bytes = new Uint8Array(1 << 16);
  at = 0;

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.at + count));
    larger.set(this.bytes.subarray(0, this.at));
    this.bytes = larger;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.at++] = value;
  }

  /** An unsigned whole number up to 2^53. */
  varint(value: number): void {
    this.reserve(8);
    this.at = putVarint(this.bytes, this.at, value);
  }

  /** A whole number up to 2^52 either way. */
  signed(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  text(text: string): void {
    const bytes = encoder.encode(text);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  written(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }
}

export class ByteReader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new RangeError('the bytes end too early');
    return value;
  }

  varint(): number {
    let value = 0;
    let weight = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 127) * weight;
      if (byte < 128) return value;
      weight *= 128;
    }
  }

  signed(): number {
    const code = this.varint();
    return code % 2 === 0 ? code / 2 : -(code + 1) / 2;
  }

  raw(count: number): Uint8Array {
    if (this.at + count > this.bytes.length) throw new RangeError('the bytes end too early');
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  text(): string {
    return decoder.decode(this.raw(this.varint()));
  }
}

/** A column of bytes; one value all through costs two bytes. */
export function putBytes(out: ByteWriter, column: Uint8Array, from: number, to: number): void {
  const first = column[from] ?? 0;
  let constant = true;
  for (let at = from + 1; constant && at < to; at++) constant = column[at] === first;
  out.byte(constant ? 1 : 0);
  if (constant) out.byte(first);
  else out.raw(column.subarray(from, to));
}

export function takeBytes(input: ByteReader, target: Uint8Array, at: number, count: number): void {
  if (input.byte() === 1) target.fill(input.byte(), at, at + count);
  else target.set(input.raw(count), at);
}

/** Writes an unsigned whole number and answers the place behind it. */
export function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest >= 0x8000_0000) {
    bytes[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  while (rest >= 128) {
    bytes[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}
