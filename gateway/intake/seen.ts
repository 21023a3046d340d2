/**
 * Which messages of a device were taken already. (device, boot, seq) is a message's identity: per boot a bounded
 * set of seq intervals, and beside it a 64-bit digest of the newest 4,096 (DESIGN section 2, duplicates). The same
 * digest under a seq already taken is a duplicate; another one means that the boot id is used twice.
 */
export const windowSize = 4096;
/** Every 64th seq keeps its time: enough to tell a re-used boot from an old re-send. */
const timeStep = 64;
export const intervalBound = 1024;
export const bootBound = 32;

export type Verdict = 'new' | 'duplicate' | 'reused';

export class BootSeen {
  /** Flat pairs from, to (both inclusive), ascending and apart. */
  readonly intervals: number[];
  private digests: Uint32Array;
  private times: Float64Array;
  top = -1;
  /** Below it no digest is known: restored without its window, or sent before the window grew to hold it. */
  private knownFrom: number;

  constructor(
    intervals: number[] = [],
    digests?: Uint32Array,
    times?: Float64Array,
    knownFrom = digests ? 0 : (intervals.at(-1) ?? -1) + 1,
  ) {
    this.intervals = intervals;
    this.digests = digests ?? new Uint32Array(2 * 256);
    this.times = times ?? new Float64Array(windowSize / timeStep);
    this.top = intervals.at(-1) ?? -1;
    this.knownFrom = knownFrom;
  }

  /** Judges without taking. `takenAtMs` is the sender's own, NaN when it told none. */
  judge(seq: number, takenAtMs: number, high: number, low: number): Verdict {
    if (!this.has(seq)) return 'new';
    if (seq >= this.knownFrom && seq > this.top - this.slots) {
      const at = 2 * (seq % this.slots);
      return this.digests[at] === high && this.digests[at + 1] === low ? 'duplicate' : 'reused';
    }
    const first =
      this.times[(Math.floor((this.top - windowSize + 1) / timeStep) + 1) % this.times.length] ?? 0;
    return first > 0 && takenAtMs > first ? 'reused' : 'duplicate';
  }

  /** Enters a message judged new. False when the bound on intervals threw the oldest out. */
  take(seq: number, takenAtMs: number, high: number, low: number): boolean {
    const { intervals } = this;
    const last = intervals.length - 1;
    let bounded = true;
    if (last >= 0 && intervals[last] === seq - 1) intervals[last] = seq;
    else bounded = this.insert(seq);
    if (seq > this.top) {
      if (this.slots < windowSize && seq - (intervals[0] ?? 0) >= this.slots) this.grow();
      this.top = seq;
    }
    if (seq > this.top - this.slots) {
      const at = 2 * (seq % this.slots);
      this.digests[at] = high;
      this.digests[at + 1] = low;
      if (seq % timeStep === 0 && takenAtMs === takenAtMs)
        this.times[(seq / timeStep) % this.times.length] = takenAtMs;
    }
    return bounded;
  }

  /** Enters a message of a boot whose numbers are never given twice: no digest is kept. */
  takePlain(seq: number): void {
    this.insert(seq);
    this.top = Math.max(this.top, seq);
    this.knownFrom = this.top + 1;
  }

  has(seq: number): boolean {
    const { intervals } = this;
    if (seq > this.top) return false;
    let low = 0;
    let high = intervals.length / 2 - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (seq < (intervals[2 * middle] ?? 0)) high = middle - 1;
      else if (seq > (intervals[2 * middle + 1] ?? 0)) low = middle + 1;
      else return true;
    }
    return false;
  }

  /** The plain parts, for a snapshot. It may leave the newest seqs out: what the window does not hold, it must say itself. */
  parts(): { intervals: readonly number[]; digests: Uint32Array; times: Float64Array; knownFrom: number } {
    const knownFrom = Math.max(this.knownFrom, this.top - this.slots + 1);
    return { intervals: this.intervals, digests: this.digests, times: this.times, knownFrom };
  }

  private get slots(): number {
    return this.digests.length / 2;
  }

  private insert(seq: number): boolean {
    const { intervals } = this;
    let at = 0;
    while (at < intervals.length && (intervals[at + 1] ?? 0) < seq) at += 2;
    const joinsBefore = at > 0 && intervals[at - 1] === seq - 1;
    const joinsAfter = at < intervals.length && intervals[at] === seq + 1;
    if (joinsBefore && joinsAfter) intervals.splice(at - 1, 2);
    else if (joinsBefore) intervals[at - 1] = seq;
    else if (joinsAfter) intervals[at] = seq;
    else intervals.splice(at, 0, seq, seq);
    if (intervals.length <= 2 * intervalBound) return true;
    intervals.splice(0, 2);
    return false;
  }

  /** Doubles the window, keeping what it holds in its new place. */
  private grow(): void {
    const before = this.slots;
    this.knownFrom = Math.max(this.knownFrom, this.top - before + 1);
    const larger = new Uint32Array(this.digests.length * 2);
    for (let seq = Math.max(0, this.top - before + 1); seq <= this.top; seq++) {
      larger[2 * (seq % (2 * before))] = this.digests[2 * (seq % before)] ?? 0;
      larger[2 * (seq % (2 * before)) + 1] = this.digests[2 * (seq % before) + 1] ?? 0;
    }
    this.digests = larger;
  }
}

/**
 * Boots the gateway makes for foreign MQTT (DESIGN 2): seq comes from the raw message's number in the journal, so one
 * handed down again has the same, whatever a driver that was started meanwhile makes of it. The numbers leave gaps: the
 * newest intervals are enough, since hosts are handed messages in order.
 */
export const rawBoot = 'raw-';

/** A boot as its device named it, and the boots the gateway makes when that name is used twice (`{boot}-r1` …). */
export class DeviceSeen {
  private readonly boots = new Map<string, BootSeen>();
  /** Base name → newest made name. */
  private readonly newest = new Map<string, string>();

  /**
   * Where a message belongs: the boot id it is kept under, or that it is a duplicate. A message judged new is
   * entered at once, before the journal has it: a re-send meanwhile waits for the same commit.
   */
  enter(boot: string, seq: number, takenAtMs: number, high: number, low: number): Entered {
    const current = this.newest.get(boot) ?? boot;
    const seen = this.boots.get(current) ?? this.open(current);
    if (boot.startsWith(rawBoot)) {
      if (seen.has(seq)) return duplicate;
      seen.takePlain(seq);
      return { kept: true, boot, reused: false, bounded: true };
    }
    const verdict = seen.judge(seq, takenAtMs, high, low);
    if (verdict === 'new') {
      // A re-send of what was kept under the name's first use must not be taken for new under its second.
      if (current !== boot && this.isDuplicateOfEarlier(boot, current, seq, takenAtMs, high, low))
        return duplicate;
      return { kept: true, boot: current, reused: false, bounded: seen.take(seq, takenAtMs, high, low) };
    }
    if (verdict === 'duplicate' || this.isDuplicateOfEarlier(boot, current, seq, takenAtMs, high, low))
      return duplicate;
    const made = `${boot}-r${current === boot ? 1 : Number(current.slice(boot.length + 2)) + 1}`;
    this.newest.set(boot, made);
    return { kept: true, boot: made, reused: true, bounded: this.open(made).take(seq, takenAtMs, high, low) };
  }

  /** Restores one kept message at start. */
  restore(boot: string, seq: number, takenAtMs: number, high: number, low: number): void {
    const seen = this.boots.get(boot) ?? this.open(boot);
    this.noteMade(boot);
    if (!seen.has(seq)) seen.take(seq, takenAtMs, high, low);
  }

  put(boot: string, seen: BootSeen): void {
    this.boots.set(boot, seen);
    this.noteMade(boot);
  }

  entries(): IterableIterator<[string, BootSeen]> {
    return this.boots.entries();
  }

  private isDuplicateOfEarlier(
    base: string,
    current: string,
    seq: number,
    takenAtMs: number,
    high: number,
    low: number,
  ): boolean {
    const made = current === base ? 0 : Number(current.slice(base.length + 2));
    for (let use = made - 1; use >= 0; use--) {
      const earlier = this.boots.get(use === 0 ? base : `${base}-r${use}`);
      if (earlier?.judge(seq, takenAtMs, high, low) === 'duplicate') return true;
    }
    return false;
  }

  private open(boot: string): BootSeen {
    const seen = new BootSeen();
    this.boots.set(boot, seen);
    if (this.boots.size > bootBound) {
      const oldest = this.boots.keys().next().value;
      if (oldest !== undefined) this.boots.delete(oldest);
    }
    return seen;
  }

  private noteMade(boot: string): void {
    const made = /^(.*)-r(\d+)$/.exec(boot);
    if (!made) return;
    const [, base = '', use = '0'] = made;
    const known = this.newest.get(base);
    if (known === undefined || Number(known.slice(base.length + 2)) < Number(use))
      this.newest.set(base, boot);
  }
}

export type Entered =
  | { readonly kept: false }
  | { readonly kept: true; readonly boot: string; readonly reused: boolean; readonly bounded: boolean };
const duplicate: Entered = { kept: false };
