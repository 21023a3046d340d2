import type { Table } from './frame.ts';
import type { Block } from './map.ts';
import { registersOf } from './map.ts';
import type { NumberType, Order } from './map-schema.ts';

/** What was read in one poll; asked by address. */
export interface Registers {
  /** Bytes of `count` registers as on the wire (two each); for a bit table two bytes a bit, 0 or 1. */
  bytes(table: Table, address: number, count: number): Buffer | undefined;
}

export interface ReadBlock extends Block {
  readonly data: Buffer;
}

export function createRegisters(blocks: readonly ReadBlock[]): Registers {
  return {
    bytes: (table, address, count) => {
      const block = blocks.find(
        (each) =>
          each.table === table && address >= each.address && address + count <= each.address + each.count,
      );
      if (!block) return undefined;
      const from = address - block.address;
      if (table === 'holding' || table === 'input') return block.data.subarray(from * 2, (from + count) * 2);
      const bytes = Buffer.alloc(count * 2);
      for (let index = 0; index < count; index++) {
        const bit = from + index;
        bytes.writeUInt16BE(((block.data[bit >> 3] ?? 0) >> (bit & 7)) & 1, index * 2);
      }
      return bytes;
    },
  };
}

/**
 * The number at a place, or undefined where it was not read. `order` names the bytes as they come on the wire: ABCD is
 * most significant first, CDAB has the low word first, BADC swaps the bytes of each word, DCBA is both.
 */
export function numberAt(
  registers: Registers,
  at: { readonly table: Table; readonly address: number; readonly type: NumberType; readonly mask?: number },
  order: Order,
): number | undefined {
  const wire = registers.bytes(at.table, at.address, registersOf[at.type]);
  if (!wire) return undefined;
  const bytes = arrange(wire, order);
  const raw = readNumber(bytes, at.type);
  return at.mask === undefined ? raw : masked(raw, at.mask);
}

export const masked = (raw: number, mask: number): number => (raw & mask) / (mask & -mask);

function arrange(wire: Buffer, order: Order): Buffer {
  const bytes = Buffer.from(wire);
  if (order === 'BADC' || order === 'DCBA') bytes.swap16();
  if (order === 'ABCD' || order === 'BADC') return bytes;
  const words: Buffer[] = [];
  for (let at = bytes.length - 2; at >= 0; at -= 2) words.push(bytes.subarray(at, at + 2));
  return Buffer.concat(words);
}

function readNumber(bytes: Buffer, type: NumberType): number {
  switch (type) {
    case 'bit':
    case 'u16':
      return bytes.readUInt16BE(0);
    case 's16':
      return bytes.readInt16BE(0);
    case 'u32':
      return bytes.readUInt32BE(0);
    case 's32':
      return bytes.readInt32BE(0);
    // Seven digits are what a 32-bit float knows; the rest is noise of widening it.
    case 'f32':
      return Number(bytes.readFloatBE(0).toPrecision(7));
    case 'u64':
      return Number(bytes.readBigUInt64BE(0));
    case 's64':
      return Number(bytes.readBigInt64BE(0));
    case 'f64':
      return bytes.readDoubleBE(0);
    default:
      return type satisfies never;
  }
}

/** Text of a device's identity: one byte a character, ended by NUL or blanks. */
export function textAt(
  registers: Registers,
  table: Table,
  address: number,
  length: number,
): string | undefined {
  const text = registers
    .bytes(table, address, Math.ceil(length / 2))
    ?.toString('latin1')
    .slice(0, length);
  return text?.replace(/\0.*$/s, '').trim();
}
