import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Loss } from './ledger.ts';

/**
 * The preallocated reserve file of the loss ledger: two halves written in turn, each a small head (version, turn,
 * length, CRC-32 over all of it) and the open entries as JSON. A torn half leaves the other one whole.
 */
const version = 1;
const headBytes = 24;

export interface Reserve {
  /** Replaces all entries. False when they do not fit: then the largest are kept and one line tells how many more. */
  write(losses: readonly Loss[]): boolean;
  close(): void;
}

export function openReserve(file: string, bytes: number): Reserve {
  const fd = openSync(file, 'a+');
  closeSync(fd);
  const handle = openSync(file, 'r+');
  if (fstatSync(handle).size < bytes) {
    // Real zeros, not a hole: the blocks must be there when the disk is full.
    ftruncateSync(handle, bytes);
    const zeros = Buffer.alloc(64 * 1024);
    const already = readTurns(readFileSync(file), bytes).length > 0;
    for (let at = 0; !already && at < bytes; at += zeros.length)
      writeSync(handle, zeros, 0, Math.min(zeros.length, bytes - at), at);
    fdatasyncSync(handle);
  }
  let turn = readTurns(readFileSync(file), bytes)[0]?.turn ?? 0;
  return {
    write: (losses) => {
      turn += 1;
      const room = bytes / 2 - headBytes;
      const { text, whole } = fitting(losses, room);
      const half = Buffer.alloc(headBytes + text.length);
      half.write('VLR1', 0, 'latin1');
      half.writeUInt32LE(version, 4);
      half.writeDoubleLE(turn, 8);
      half.writeUInt32LE(text.length, 16);
      half.writeUInt32LE(crc32(text, crc32(half.subarray(0, 20))), 20);
      text.copy(half, headBytes);
      writeSync(handle, half, 0, half.length, (turn % 2) * (bytes / 2));
      fdatasyncSync(handle);
      return whole;
    },
    close: () => closeSync(handle),
  };
}

/** The entries of the newest whole half; none when there is no file. */
export function readReserve(file: string, bytes: number): Loss[] {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch {
    return [];
  }
  return readTurns(content, bytes)[0]?.losses ?? [];
}

/** Whole halves, newest first. */
function readTurns(content: Buffer, bytes: number): { turn: number; losses: Loss[] }[] {
  const found: { turn: number; losses: Loss[] }[] = [];
  for (const start of [0, bytes / 2]) {
    if (content.length < start + headBytes || content.toString('latin1', start, start + 4) !== 'VLR1')
      continue;
    const length = content.readUInt32LE(start + 16);
    const text = content.subarray(start + headBytes, start + headBytes + length);
    const sum = crc32(text, crc32(content.subarray(start, start + 20)));
    if (text.length !== length || sum !== content.readUInt32LE(start + 20)) continue;
    found.push({
      turn: content.readDoubleLE(start + 8),
      losses: JSON.parse(text.toString('utf8')) as Loss[],
    });
  }
  return found.toSorted((a, b) => b.turn - a.turn);
}

function fitting(losses: readonly Loss[], room: number): { text: Buffer; whole: boolean } {
  const text = Buffer.from(JSON.stringify(losses));
  if (text.length <= room) return { text, whole: true };
  const all = losses.toSorted((a, b) => b.observations - a.observations);
  for (let keep = Math.floor(all.length / 2); ; keep = Math.floor(keep / 2)) {
    const rest = all.slice(keep);
    const remainder: Loss = {
      device: '*',
      metric: '*',
      fromMs: Math.min(...rest.map((loss) => loss.fromMs)),
      toMs: Math.max(...rest.map((loss) => loss.toMs)),
      observations: rest.reduce((sum, loss) => sum + loss.observations, 0),
      why: 'unrecorded',
    };
    const shorter = Buffer.from(JSON.stringify([...all.slice(0, keep), remainder]));
    if (shorter.length <= room || keep === 0) return { text: shorter, whole: false };
  }
}
