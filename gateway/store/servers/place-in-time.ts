/**
 * When a point stands on the server. It must be the same whenever the observation is sent again, and no two
 * observations of a series may share it.
 */

const slots = 1_000_000;

/** FNV-1a over the UTF-16 units, 32 bits. */
function fold(word: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ word.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/**
 * Nanoseconds within the millisecond, from (boot, seq): messages of one boot never share one unless they are
 * 1,000,000 apart and taken in the same millisecond; those of two boots, taken in the same, once in a million.
 */
export const slotOf = (bootFold: number, seq: number): number => (bootFold + seq) % slots;
export const bootSlot = (boot: string): number => fold(boot) % slots;

/** Nanoseconds since 1970 as text: a JavaScript number cannot hold them. */
export function nanoseconds(takenAtMs: number, slot: number): string {
  const ms = Math.floor(takenAtMs);
  if (ms > 0) return `${ms}${String(slot).padStart(6, '0')}`;
  return String(BigInt(ms) * BigInt(slots) + BigInt(slot));
}

/** Series whose last instants are remembered. */
const mostSeries = 100_000;
const remembered = 8;

/**
 * For a server that keeps milliseconds only: of two observations of one series taken in the same one, the later to come
 * stands one millisecond later. The last instants of each series are remembered, so that the same one sent again
 * finds its own place.
 */
export class MillisecondPlaces {
  private readonly taken = new Map<string, [atMs: number, whose: string][]>();

  place(series: string, takenAtMs: number, whose: string): number {
    let places = this.taken.get(series);
    if (!places) {
      if (this.taken.size >= mostSeries) this.taken.clear();
      this.taken.set(series, (places = []));
    }
    let atMs = Math.floor(takenAtMs);
    for (;;) {
      const there = places.find(([at]) => at === atMs);
      if (there?.[1] === whose) return atMs;
      if (!there) break;
      atMs++;
    }
    if (places.push([atMs, whose]) > remembered) places.shift();
    return atMs;
  }
}
