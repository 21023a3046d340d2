/** A backup's content: a tar archive under zstd; its last entry lists every other with its SHA-256. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import { extract, pack, type Pack } from 'tar-stream';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { Fault } from '../../model/fault.ts';
import type { Chance } from '../../model/ids.ts';
import { opening, sealing, type BackupSecret } from './sealed-file.ts';
import type { SnapshotEntry } from './snapshot.ts';

export const manifestName = 'manifest.json';
export const manifestVersion = 1;
const mostManifestBytes = 64 * 1024 * 1024;

const ManifestSchema = Type.Object({
  version: Type.Integer(),
  /** Version of the Vigil that made it. */
  madeBy: Type.String(),
  madeAtMs: Type.Number(),
  entries: Type.Array(
    Type.Object({ name: Type.String(), bytes: Type.Integer({ minimum: 0 }), sha256: Type.String() }),
  ),
});
export type Manifest = Static<typeof ManifestSchema>;

export interface WriteOptions {
  readonly entries: readonly SnapshotEntry[];
  readonly secret: BackupSecret;
  readonly chance: Chance;
  readonly madeBy: string;
  readonly madeAtMs: number;
  /** Each entry, as it begins. */
  readonly next: (entry: number) => void;
  readonly signal: AbortSignal;
}

/** Writes the whole archive into a file that must not exist. Throws the system's error. */
export async function writeArchive(file: string, options: WriteOptions): Promise<Manifest> {
  const { secret, chance, signal } = options;
  const archive = pack();
  const entries: Manifest['entries'] = [];
  const filled = fill(archive, entries, options).catch((error: unknown) => {
    archive.destroy(error as Error);
    throw error;
  });
  const written = pipeline(
    Readable.from(archive),
    createZstdCompress(),
    sealing(secret, chance),
    createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true }),
    { signal },
  );
  // What failed first is why: the archive's end follows from it.
  const [source, target] = await Promise.allSettled([filled, written]);
  if (source.status === 'rejected' && !isPremature(source.reason)) throw source.reason;
  if (target.status === 'rejected') throw target.reason;
  return (source as PromiseFulfilledResult<Manifest>).value;
}

const isPremature = (error: unknown): boolean => {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || /closed|destroyed|premature/i.test(message);
};

async function fill(
  archive: Pack,
  listed: Manifest['entries'],
  { entries, madeBy, madeAtMs, next, signal }: WriteOptions,
): Promise<Manifest> {
  for (const [index, entry] of entries.entries()) {
    signal.throwIfAborted();
    next(index);
    const { bytes, content } = entry.load();
    // A segment of which nothing counts yet.
    if (bytes === 0 && entry.name.endsWith('.segment')) continue;
    const hash = createHash('sha256');
    const into = archive.entry({ name: entry.name, size: bytes, mode: 0o600, mtime: new Date(madeAtMs) });
    await pipeline(content, hashing(hash), into as unknown as Writable);
    listed.push({ name: entry.name, bytes, sha256: hash.digest('hex') });
  }
  const manifest: Manifest = { version: manifestVersion, madeBy, madeAtMs, entries: listed };
  const text = Buffer.from(JSON.stringify(manifest));
  await new Promise<void>((resolve, reject) => {
    archive.entry({ name: manifestName, mode: 0o600, mtime: new Date(madeAtMs) }, text, (error) =>
      error ? reject(error) : resolve(),
    );
  });
  archive.finalize();
  return manifest;
}

const hashing = (hash: Hash) =>
  async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const part of source) {
      hash.update(part);
      yield part;
    }
  };

export interface ReadOptions {
  readonly secret: BackupSecret;
  /** Takes one entry; all of `content` must be read. */
  readonly entry: (name: string, content: AsyncIterable<Uint8Array>) => Promise<void>;
  /** Bytes of the file read so far. */
  readonly read: (bytes: number) => void;
}

/**
 * Reads the archive from begin to end and compares every entry with the list; answers the list. Throws BACKUP_CHANGED,
 * BACKUP_KEY or FORMAT_TOO_NEW; nothing is right before it has returned.
 */
export async function readArchive(file: string, options: ReadOptions): Promise<Manifest> {
  const { secret, entry, read } = options;
  const archive = extract();
  const source = createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>;
  const flown = pipeline(
    Readable.from(opening(counted(source, read), secret), { objectMode: false }),
    createZstdDecompress(),
    archive as unknown as Writable,
  );
  const taken = takeEntries(archive, entry);
  const [flow, entries] = await Promise.allSettled([flown, taken]);
  // The shell knows best what is wrong: behind it, everything only ends too early.
  for (const outcome of [flow, entries])
    if (outcome.status === 'rejected' && outcome.reason instanceof Fault) throw outcome.reason;
  for (const outcome of [entries, flow]) if (outcome.status === 'rejected') throw asChanged(outcome.reason);
  return (entries as PromiseFulfilledResult<Manifest>).value;
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  read: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const part of source) {
    read((bytes += part.length));
    yield part;
  }
}

async function takeEntries(
  archive: ReturnType<typeof extract>,
  take: ReadOptions['entry'],
): Promise<Manifest> {
  const seen: Manifest['entries'] = [];
  let manifest: Manifest | undefined;
  for await (const entry of archive) {
    const { name, type } = entry.header;
    if (manifest) throw new Fault('BACKUP_CHANGED', { cause: 'something stands behind its list' });
    if (type !== 'file' || !isPlainPath(name))
      throw new Fault('BACKUP_CHANGED', { cause: 'it holds what is no plain file' });
    if (name === manifestName) {
      manifest = await readManifest(entry as AsyncIterable<Uint8Array>);
      continue;
    }
    const hash = createHash('sha256');
    let bytes = 0;
    await take(
      name,
      (async function* () {
        for await (const part of entry as AsyncIterable<Uint8Array>) {
          hash.update(part);
          bytes += part.length;
          yield part;
        }
      })(),
    );
    seen.push({ name, bytes, sha256: hash.digest('hex') });
  }
  if (!manifest) throw new Fault('BACKUP_CHANGED', { cause: 'its list is missing' });
  if (JSON.stringify(seen) !== JSON.stringify(manifest.entries))
    throw new Fault('BACKUP_CHANGED', { cause: 'an entry is not as its list says' });
  return manifest;
}

async function readManifest(content: AsyncIterable<Uint8Array>): Promise<Manifest> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of content) {
    length += part.length;
    if (length > mostManifestBytes) throw new Fault('BACKUP_CHANGED', { cause: 'its list is too long' });
    parts.push(part);
  }
  const read: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'));
  const version = (read as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version > manifestVersion)
    throw new Fault('FORMAT_TOO_NEW', { what: 'the backup', found: version, known: manifestVersion });
  if (!Value.Check(ManifestSchema, read))
    throw new Fault('BACKUP_CHANGED', { cause: 'its list cannot be read' });
  return read;
}

/** Within the folder, whatever the archive says. */
const isPlainPath = (name: string): boolean =>
  /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(name) && !name.split('/').some((part) => /^\.+$/.test(part));

function asChanged(error: unknown): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (syscall !== undefined) return error;
  return new Fault('BACKUP_CHANGED', { cause: code ?? message }, { cause: error });
}
