import type { Counters } from '../../journal/observation-batch.ts';
import type { LiveDevice } from './live-device.ts';
import type { MessageName } from './recorder.ts';
import { BootSeen } from './seen.ts';

/**
 * What each journal segment opens with: the duplicate intervals and digests of every device, and the counters, so
 * that a start reads one segment and not the whole journal. A JSON head and the digest windows behind it, as bytes.
 */
const magic = 0x31534e56; // "VNS1"
/** Boots of a device whose digest windows are kept; older ones keep their intervals only. */
const windowedBoots = 2;

interface BootHead {
  readonly boot: string;
  readonly intervals: readonly number[];
  readonly times: readonly number[];
  readonly knownFrom: number;
  /** Words of the digest window, 0 = none. */
  readonly words: number;
}
interface Head {
  readonly version: 1;
  readonly counters: Counters;
  readonly devices: readonly {
    readonly device: string;
    readonly lastKeptAtMs?: number;
    readonly boots: readonly BootHead[];
  }[];
}

/**
 * `unsettled` is left out: a message counted as seen before it is on disk would be taken for a duplicate after a
 * crash, confirmed, and lost.
 */
export function packSeen(
  devices: Iterable<LiveDevice>,
  counters: Counters,
  unsettled: readonly MessageName[],
): Uint8Array {
  const without = new Map<string, number[]>();
  for (const { device, boot, seq } of unsettled) {
    const key = `${device} ${boot}`;
    const known = without.get(key);
    if (known) known.push(seq);
    else without.set(key, [seq]);
  }
  const windows: Uint32Array[] = [];
  const head: Head = {
    version: 1,
    counters: { ...counters },
    devices: [...devices].map((device) => ({
      device: device.id,
      lastKeptAtMs: device.lastKeptAtMs,
      boots: [...device.seen.entries()].map(([boot, seen], index, all) => {
        const { intervals, digests, times, knownFrom } = seen.parts();
        const windowed = index >= all.length - windowedBoots;
        if (windowed) windows.push(digests);
        const settled = subtract(intervals, without.get(`${device.id} ${boot}`) ?? []);
        return {
          boot,
          intervals: settled,
          times: windowed ? [...times] : [],
          knownFrom,
          words: windowed ? digests.length : 0,
        };
      }),
    })),
  };
  const text = new TextEncoder().encode(JSON.stringify(head));
  const windowAt = (12 + text.length + 3) & ~3;
  const total = windows.reduce((sum, window) => sum + window.byteLength, windowAt);
  const body = new Uint8Array(total);
  const view = new DataView(body.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, text.length, true);
  body.set(text, 12);
  let at = windowAt;
  for (const window of windows) {
    body.set(new Uint8Array(window.buffer, window.byteOffset, window.byteLength), at);
    at += window.byteLength;
  }
  return body;
}

/** Puts the boots back into their devices and answers the counters. RangeError when it is not ours. */
export function unpackSeen(bytes: Uint8Array, open: (device: string) => LiveDevice): Counters {
  const body = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (view.getUint32(0, true) !== magic) throw new RangeError('not a snapshot of the front door');
  const length = view.getUint32(4, true);
  const head = JSON.parse(new TextDecoder().decode(body.subarray(12, 12 + length))) as Head;
  let at = body.byteOffset + ((12 + length + 3) & ~3);
  for (const { device: id, lastKeptAtMs, boots } of head.devices) {
    const device = open(id);
    if (lastKeptAtMs !== undefined) device.lastKeptAtMs = Math.max(device.lastKeptAtMs ?? 0, lastKeptAtMs);
    for (const { boot, intervals, times, words, knownFrom } of boots) {
      const digests = words === 0 ? undefined : new Uint32Array(body.buffer, at, words).slice();
      at += words * 4;
      device.seen.put(
        boot,
        words === 0
          ? new BootSeen([...intervals])
          : new BootSeen([...intervals], digests, Float64Array.from(times), knownFrom),
      );
    }
  }
  return head.counters;
}

/** Takes single seqs out of flat from–to pairs (both inclusive). */
export function subtract(intervals: readonly number[], seqs: readonly number[]): readonly number[] {
  if (seqs.length === 0) return intervals;
  const left: number[] = [];
  const gone = [...new Set(seqs)].toSorted((a, b) => a - b);
  let next = 0;
  for (let at = 0; at < intervals.length; at += 2) {
    let from = intervals[at] ?? 0;
    const to = intervals[at + 1] ?? 0;
    while ((gone[next] ?? Infinity) < from) next += 1;
    while ((gone[next] ?? Infinity) <= to) {
      const seq = gone[next++] ?? 0;
      if (seq > from) left.push(from, seq - 1);
      from = seq + 1;
    }
    if (from <= to) left.push(from, to);
  }
  return left;
}
