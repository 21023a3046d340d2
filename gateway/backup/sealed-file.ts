/**
 * The shell of a backup: a header, then the content in chunks, each encrypted and authenticated by AES-256-GCM. A
 * chunk's nonce holds its place and whether it is the last one (the STREAM construction of Hoang, Reyhanitabar,
 * Rogaway and Vizár, 2015), so chunks cannot be changed, left out, put elsewhere or cut off unnoticed.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  scryptSync,
  timingSafeEqual,
} from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Fault } from '../../model/fault.ts';
import type { Chance } from '../../model/ids.ts';

export const sealedVersion = 1;
export const headerBytes = 128;
export const chunkBytes = 1 << 20;
const tagBytes = 16;
const magic = Buffer.from('VIGILBK\n', 'latin1');
const kinds = ['key-file', 'passphrase'] as const;

/** What the person gave: the content of a key file, or words. */
export type BackupSecret =
  | { readonly kind: 'key-file'; readonly key: Uint8Array }
  | { readonly kind: 'passphrase'; readonly passphrase: string };

export const leastKeyBytes = 32;
export const leastPassphrase = 12;

/** scrypt costs 128 MiB and about half a second here; a file that asks for more than the bounds is none of ours. */
const scryptCost = { log2N: 17, r: 8, p: 1 };
const scryptBounds = { log2N: 20, r: 32, p: 16 };

interface Cost {
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
}

/** Throws BACKUP_KEY when it is too short to protect anything. */
export function checkSecret(secret: BackupSecret): void {
  if (secret.kind === 'key-file' && secret.key.length < leastKeyBytes)
    throw new Fault('BACKUP_KEY', { cause: `a key file holds at least ${leastKeyBytes} bytes` });
  if (secret.kind === 'passphrase' && secret.passphrase.length < leastPassphrase)
    throw new Fault('BACKUP_KEY', { cause: `a passphrase has at least ${leastPassphrase} characters` });
}

function keysOf(
  secret: BackupSecret,
  salt: Uint8Array,
  { log2N, r, p }: Cost,
): { seal: Buffer; check: Buffer } {
  const root =
    secret.kind === 'key-file'
      ? secret.key
      : scryptSync(secret.passphrase.normalize('NFKC'), salt, 32, {
          N: 2 ** log2N,
          r,
          p,
          maxmem: 256 * r * 2 ** log2N,
        });
  const derive = (use: string): Buffer => Buffer.from(hkdfSync('sha256', root, salt, use, 32));
  return { seal: derive('vigil backup: content'), check: derive('vigil backup: header') };
}

/** Encrypts what flows through it. */
export function sealing(
  secret: BackupSecret,
  chance: Chance,
): (source: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array> {
  checkSecret(secret);
  const header = Buffer.alloc(headerBytes);
  magic.copy(header, 0);
  header.writeUInt32LE(sealedVersion, 8);
  header.writeUInt32LE(kinds.indexOf(secret.kind), 12);
  header.writeUInt32LE(scryptCost.log2N, 16);
  header.writeUInt32LE(scryptCost.r, 20);
  header.writeUInt32LE(scryptCost.p, 24);
  header.writeUInt32LE(chunkBytes, 28);
  Buffer.from(chance.hex(256), 'hex').copy(header, 32);
  Buffer.from(chance.hex(56), 'hex').copy(header, 64);
  const { seal, check } = keysOf(secret, header.subarray(32, 64), scryptCost);
  signOf(check, header).copy(header, 72);
  header.writeUInt32LE(crc32(header.subarray(0, 124)), 124);

  const sealed = (chunk: Uint8Array, number: number, last: boolean): Buffer => {
    const cipher = createCipheriv('aes-256-gcm', seal, nonceOf(header, number, last)).setAAD(header);
    return Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
  };
  return async function* (source) {
    yield header;
    let number = 0;
    for await (const { bytes, last } of inPieces(source, chunkBytes)) yield sealed(bytes, number++, last);
  };
}

/**
 * Decrypts what flows through it. Throws BACKUP_CHANGED for anything that is not as it was written, BACKUP_KEY for the
 * wrong secret, FORMAT_TOO_NEW for a header of a later version.
 */
export async function* opening(
  source: AsyncIterable<Uint8Array>,
  secret: BackupSecret,
): AsyncGenerator<Uint8Array> {
  const parts = source[Symbol.asyncIterator]();
  let begin = Buffer.alloc(0);
  while (begin.length < headerBytes) {
    const next = await parts.next();
    if (next.done === true) throw changed('it ends within its header');
    begin = Buffer.concat([begin, next.value]);
  }
  const header = begin.subarray(0, headerBytes);
  const { size, key } = readHeader(header, secret);
  const rest = (async function* (): AsyncGenerator<Uint8Array> {
    yield begin.subarray(headerBytes);
    for (let next = await parts.next(); next.done !== true; next = await parts.next()) yield next.value;
  })();
  let number = 0;
  for await (const { bytes, last } of inPieces(rest, size + tagBytes)) {
    if (bytes.length < tagBytes) throw changed('it is cut off');
    const tag = bytes.subarray(bytes.length - tagBytes);
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(header, number, last))
      .setAAD(header)
      .setAuthTag(tag);
    const content = decipher.update(bytes.subarray(0, bytes.length - tagBytes));
    try {
      decipher.final();
    } catch {
      throw changed(`chunk ${number} is not as it was written, or the file is cut off there`);
    }
    number++;
    yield content;
  }
}

function readHeader(header: Buffer, secret: BackupSecret): { size: number; key: Buffer } {
  if (!header.subarray(0, 8).equals(magic)) throw changed('it does not begin as a backup does');
  // Version and checksum keep their places in every version, so a newer one is told from a changed one.
  if (crc32(header.subarray(0, 124)) !== header.readUInt32LE(124)) throw changed('its header is changed');
  const version = header.readUInt32LE(8);
  if (version > sealedVersion)
    throw new Fault('FORMAT_TOO_NEW', { what: 'the backup', found: version, known: sealedVersion });
  const kind = kinds[header.readUInt32LE(12)];
  const cost = { log2N: header.readUInt32LE(16), r: header.readUInt32LE(20), p: header.readUInt32LE(24) };
  const size = header.readUInt32LE(28);
  const bounded = cost.log2N <= scryptBounds.log2N && cost.r <= scryptBounds.r && cost.p <= scryptBounds.p;
  if (!bounded || size !== chunkBytes) throw changed('its header asks for what no backup does');
  if (kind !== secret.kind)
    throw new Fault('BACKUP_KEY', {
      cause: kind === 'passphrase' ? 'it was sealed with a passphrase' : 'it was sealed with a key file',
    });
  const { seal, check } = keysOf(secret, header.subarray(32, 64), cost);
  if (!timingSafeEqual(signOf(check, header), header.subarray(72, 104)))
    throw new Fault('BACKUP_KEY', { cause: 'it was sealed with another one' });
  return { size, key: seal };
}

/** Says whether a key fits before the first chunk is tried, so that a wrong key is not told as a changed file. */
const signOf = (check: Buffer, header: Buffer): Buffer =>
  createHmac('sha256', check).update(header.subarray(0, 72)).digest();

function nonceOf(header: Buffer, number: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  header.copy(nonce, 0, 64, 71);
  nonce.writeUInt32BE(number, 7);
  nonce.writeUInt8(last ? 1 : 0, 11);
  return nonce;
}

/** Pieces of exactly `size` bytes; the last one holds the rest and says that it is the last. */
async function* inPieces(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ readonly bytes: Buffer; readonly last: boolean }> {
  let waiting: Uint8Array[] = [];
  let length = 0;
  for await (const part of source) {
    waiting.push(part);
    length += part.length;
    if (length <= size) continue;
    const all = Buffer.concat(waiting);
    let at = 0;
    // One byte must stay behind: only the end of the source shows which piece is the last.
    for (; all.length - at > size; at += size) yield { bytes: all.subarray(at, at + size), last: false };
    waiting = [all.subarray(at)];
    length = all.length - at;
  }
  yield { bytes: Buffer.concat(waiting), last: true };
}

const changed = (cause: string): Fault => new Fault('BACKUP_CHANGED', { cause });
