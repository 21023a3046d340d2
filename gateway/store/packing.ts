/** Bodies of blocks and chunks: a dictionary of boots, then rows of one or more series, compressed as one. */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { ByteReader, ByteWriter } from './bytes.ts';
import { putRows, takeRows, type Columns } from './columns.ts';

const version = 1;
/** Bodies are small: a window of 256 KiB instead of megabytes spares memory and time for each. */
const windowLog = 18;
/** Pieces in which zlib gives its output: near the whole of it. */
const leastChunkBytes = 16 * 1024;
const mostChunkBytes = 256 * 1024;
/** A body decompresses to less than this; more is damage. */
const mostBytes = 256 * 1024 * 1024;

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
    putRows(this.rows, columns, from, to);
    return offset;
  }

  /** The body; boots are the words that the rows' boot numbers stand for. Empties the writer. */
  seal(boots: readonly string[], level: number): Uint8Array {
    this.out.at = 0;
    this.out.byte(version);
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
  private readonly boots: string[] = [];
  private readonly bytes: Uint8Array;
  private readonly start: number;

  /** Throws when the bytes are damaged. */
  constructor(body: Uint8Array) {
    const plain = zstdDecompressSync(body, {
      maxOutputLength: mostBytes,
      chunkSize: Math.min(mostChunkBytes, Math.max(leastChunkBytes, body.length * 4)),
    });
    // As Uint8Array: `slice` of a Buffer would share its memory.
    this.bytes = new Uint8Array(plain.buffer, plain.byteOffset, plain.length);
    const input = new ByteReader(this.bytes);
    if (input.byte() !== version) throw new RangeError('a body of another version');
    for (let left = input.varint(); left > 0; left--) this.boots.push(input.text());
    this.start = input.at;
  }

  /** Appends the rows that stand at the offset. */
  take(target: Columns, offset = 0): void {
    takeRows(new ByteReader(this.bytes, this.start + offset), target, this.boots);
  }
}
