/**
 * Bodies of blocks and chunks, compressed as one: a dictionary of boots, then rows. A block holds rows of many series,
 * each whole at its offset. A chunk holds one series as two bodies, its values and its sources apart, so that figures
 * open half of it.
 */
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { ByteReader, ByteWriter } from './bytes.ts';
import type { Columns } from './columns.ts';
import { putSources, putValues, takeFirstVersion, takeSources, takeValues } from './row-bytes.ts';

/** 1 held all columns of a series in one order of its own. */
const version = 2;
/** Bodies are small: a window of 256 KiB instead of megabytes spares memory and time for each. */
const windowLog = 18;
/** Pieces in which zlib gives its output: near the whole of it. */
const leastChunkBytes = 16 * 1024;
const mostChunkBytes = 256 * 1024;
/** A body decompresses to less than this; more is damage. */
const mostBytes = 256 * 1024 * 1024;

/** Which columns are wanted: whole rows, or just time, flags, reason and value, the others left undefined. */
export type Wish = 'rows' | 'values';

/**
 * Whose rows a body holds and from when: a row of the database that damage has turned into another's is found by it.
 * By the name of the series, not by its number, which another file may give to another.
 */
export interface Owner {
  readonly name: number;
  readonly fromMs: number;
}
/** Of a block, whose directory says more. */
export const nobody: Owner = { name: 0, fromMs: 0 };
export const ownerOf = (device: string, key: string, fromMs: number): Owner => ({
  name: crc32(`${device} ${key}`),
  fromMs,
});

/** Collects the rows of several series; offsets are places in the decompressed rows. */
export class BodyWriter {
  private readonly rows = new ByteWriter();
  private readonly out = new ByteWriter();

  get length(): number {
    return this.rows.at;
  }

  /** Writes rows `from` to `to`, which are in order, and returns their offset. */
  put(columns: Columns, from = 0, to = columns.length): number {
    const offset = this.rows.at;
    putValues(this.rows, columns, from, to);
    putSources(this.rows, columns, from, to);
    return offset;
  }

  /** One chunk: both its bodies. The writer must be empty. */
  chunk(columns: Columns, [from, to]: readonly [number, number], level: number, owner: Owner) {
    putValues(this.rows, columns, from, to);
    const values = this.seal([], level, owner);
    putSources(this.rows, columns, from, to);
    return { values, sources: this.seal(columns.boots.words, level, owner) };
  }

  /** The body; boots are the words that the rows' boot numbers stand for. Empties the writer. */
  seal(boots: readonly string[], level: number, owner: Owner = nobody): Uint8Array {
    this.out.at = 0;
    this.out.byte(version);
    this.out.varint(owner.name);
    this.out.raw(new Uint8Array(Float64Array.of(owner.fromMs).buffer));
    this.out.varint(boots.length);
    for (const boot of boots) this.out.text(boot);
    this.out.raw(this.rows.written());
    this.rows.at = 0;
    return zstdCompressSync(this.out.written(), {
      params: {
        [constants.ZSTD_c_compressionLevel]: level,
        [constants.ZSTD_c_windowLog]: windowLog,
        [constants.ZSTD_c_checksumFlag]: 1,
      },
    });
  }
}

/** A body opened for reading. */
export class Body {
  private readonly version: number;
  private readonly boots: string[] = [];
  private readonly bytes: Uint8Array;
  private readonly start: number;

  /** Throws when the bytes are damaged, or are not of the owner if one is named. */
  constructor(body: Uint8Array, owner?: Owner) {
    const plain = zstdDecompressSync(body, {
      maxOutputLength: mostBytes,
      chunkSize: Math.min(mostChunkBytes, Math.max(leastChunkBytes, body.length * 4)),
    });
    // As Uint8Array: `slice` of a Buffer would share its memory.
    this.bytes = new Uint8Array(plain.buffer, plain.byteOffset, plain.length);
    const input = new ByteReader(this.bytes);
    this.version = input.byte();
    if (this.version > version) throw new RangeError('a body of another version');
    if (this.version > 1) {
      const name = input.varint();
      const [fromMs] = new Float64Array(input.raw(8).slice().buffer);
      if (owner && (name !== owner.name || fromMs !== owner.fromMs))
        throw new RangeError('it is of another series or time');
    }
    for (let left = input.varint(); left > 0; left--) this.boots.push(input.text());
    this.start = input.at;
  }

  /** Appends the rows that stand at the offset of a block. */
  take(target: Columns, offset: number, wish: Wish): void {
    const input = new ByteReader(this.bytes, this.start + offset);
    if (this.version === 1) return takeFirstVersion(input, target, this.boots);
    const before = target.length;
    takeValues(input, target);
    if (wish === 'rows') takeSources(input, target, target.length - before, this.boots);
  }

  /** Fills in the sources of the `count` rows taken last: this is the second body of their chunk. */
  takeSources(target: Columns, count: number): void {
    takeSources(new ByteReader(this.bytes, this.start), target, count, this.boots);
  }
}
