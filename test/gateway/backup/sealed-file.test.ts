// Goal: a backup that is not exactly as it was written restores nothing, and a wrong key is told as one.
// Way: small archives written as a backup is, then every byte flipped, every length cut, chunks put elsewhere.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { readArchive, writeArchive, type Manifest } from '../../../gateway/backup/archive.ts';
import {
  chunkBytes,
  headerBytes,
  opening,
  sealing,
  type BackupSecret,
} from '../../../gateway/backup/sealed-file.ts';
import { systemChance } from '../../../model/ids.ts';

const chance = systemChance();
const key = (byte: number): BackupSecret => ({ kind: 'key-file', key: Buffer.alloc(32, byte) });
const secret = key(7);

const rooms: string[] = [];
afterEach(() => {
  for (const room of rooms.splice(0)) rmSync(room, { recursive: true, force: true });
});

function room(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-seal-'));
  rooms.push(folder);
  return folder;
}

async function write(folder: string, contents: Readonly<Record<string, Buffer>>): Promise<string> {
  const file = join(folder, 'one.backup');
  await writeArchive(file, {
    entries: Object.entries(contents).map(([name, bytes]) => ({
      name,
      load: () => ({ bytes: bytes.length, content: Readable.from([bytes]) }),
    })),
    secret,
    chance,
    madeBy: '0.1.0',
    madeAtMs: 1,
    next: () => undefined,
    signal: new AbortController().signal,
  });
  return file;
}

async function readAll(
  file: string,
  by = secret,
): Promise<{ manifest: Manifest; contents: Record<string, Buffer> }> {
  const contents: Record<string, Buffer> = {};
  const manifest = await readArchive(file, {
    secret: by,
    entry: async (name, content) => {
      const parts: Uint8Array[] = [];
      for await (const part of content) parts.push(part);
      contents[name] = Buffer.concat(parts);
    },
    read: () => undefined,
  });
  return { manifest, contents };
}

/** The code of what it was refused with; undefined when it was not. */
const refusal = (file: string, by = secret): Promise<string | undefined> =>
  readAll(file, by).then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );

async function sealed(bytes: Buffer, by = secret): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of sealing(by, chance)(Readable.from([bytes]))) parts.push(part);
  return Buffer.concat(parts);
}

async function opened(bytes: Buffer, by = secret): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of opening(Readable.from([bytes]), by)) parts.push(part);
  return Buffer.concat(parts);
}

test('what was put in comes out, in order, with its sums', async () => {
  const folder = room();
  const large = Buffer.from(chance.hex(8 * 1024), 'hex');
  const file = await write(folder, { 'a/b.db': large, empty: Buffer.alloc(0), 'c.txt': Buffer.from('c') });
  const { manifest, contents } = await readAll(file);
  expect(contents).toEqual({ 'a/b.db': large, empty: Buffer.alloc(0), 'c.txt': Buffer.from('c') });
  expect(manifest.entries.map(({ name, bytes }) => [name, bytes])).toEqual([
    ['a/b.db', 1024],
    ['empty', 0],
    ['c.txt', 1],
  ]);
});

test('every single flipped byte is refused', async () => {
  const folder = room();
  const file = await write(folder, { 'rows.db': Buffer.from('patients') });
  const whole = readFileSync(file);
  for (let at = 0; at < whole.length; at++) {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    writeFileSync(file, flipped);
    expect([at, await refusal(file)]).toEqual([at, 'BACKUP_CHANGED']);
  }
});

test('a file cut off anywhere, or with something behind it, is refused', async () => {
  const folder = room();
  const file = await write(folder, { 'rows.db': Buffer.from('patients') });
  const whole = readFileSync(file);
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(file, whole.subarray(0, length));
    expect([length, await refusal(file)]).toEqual([length, 'BACKUP_CHANGED']);
  }
  writeFileSync(file, Buffer.concat([whole, Buffer.from([0])]));
  expect(await refusal(file)).toBe('BACKUP_CHANGED');
});

test('chunks that change places, are left out or come twice are refused', async () => {
  const content = Buffer.alloc(3 * chunkBytes + 5, 1);
  const whole = await sealed(content);
  const size = chunkBytes + 16;
  const chunk = (index: number): Buffer =>
    whole.subarray(headerBytes + index * size, headerBytes + (index + 1) * size);
  const withChunks = (...order: number[]): Buffer =>
    Buffer.concat([whole.subarray(0, headerBytes), ...order.map(chunk)]);
  expect((await opened(withChunks(0, 1, 2, 3))).equals(content)).toBe(true);
  for (const order of [[1, 0, 2, 3], [0, 2, 3], [0, 1, 1, 2, 3], [0, 1, 2], [0, 1, 2, 3, 3], [3]])
    await expect(opened(withChunks(...order)), order.join()).rejects.toMatchObject({
      code: 'BACKUP_CHANGED',
    });
});

test('a chunk of another backup under the same key is refused', async () => {
  const [one, other] = [await sealed(Buffer.from('one')), await sealed(Buffer.from('two'))];
  const mixed = Buffer.concat([one.subarray(0, headerBytes), other.subarray(headerBytes)]);
  await expect(opened(mixed)).rejects.toMatchObject({ code: 'BACKUP_CHANGED' });
});

test('a wrong key, a short key and the other kind of key are told as such', async () => {
  const folder = room();
  const file = await write(folder, { 'rows.db': Buffer.from('patients') });
  expect(await refusal(file, key(8))).toBe('BACKUP_KEY');
  expect(await refusal(file, { kind: 'passphrase', passphrase: 'eleven grey herons' })).toBe('BACKUP_KEY');
  expect(() => sealing({ kind: 'key-file', key: Buffer.alloc(31) }, chance)).toThrow('at least 32 bytes');
  expect(() => sealing({ kind: 'passphrase', passphrase: 'short' }, chance)).toThrow('at least 12');
});

test('a passphrase opens what it sealed, and another does not', async () => {
  const words = (passphrase: string): BackupSecret => ({ kind: 'passphrase', passphrase });
  const whole = await sealed(Buffer.from('patients'), words('eleven grey herons'));
  expect((await opened(whole, words('eleven grey herons'))).toString()).toBe('patients');
  await expect(opened(whole, words('twelve grey herons'))).rejects.toMatchObject({ code: 'BACKUP_KEY' });
});

test('a newer format is refused by its number, not as a changed file', async () => {
  const whole = await sealed(Buffer.from('patients'));
  whole.writeUInt32LE(2, 8);
  whole.writeUInt32LE(crc32(whole.subarray(0, 124)), 124);
  await expect(opened(whole)).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });
});

test('an entry that leads out of the folder is refused', async () => {
  const folder = room();
  for (const name of ['../out', 'a/../../out', '/etc/out', 'a//b', '.', 'a/./b']) {
    const file = await write(folder, { [name]: Buffer.from('x') });
    expect([name, await refusal(file)]).toEqual([name, 'BACKUP_CHANGED']);
    rmSync(file);
  }
});
