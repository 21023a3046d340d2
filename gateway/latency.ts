/** How long alarms take, kept for the last hour at most and bounded in count (DESIGN promise 9). */
const bound = 10_000;
const keptMs = 3_600_000;

export interface LatencyFigures {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly count: number;
}

export class Latency {
  private readonly atMs = new Float64Array(bound);
  private readonly tookMs = new Float64Array(bound);
  private next = 0;
  private held = 0;

  note(nowMs: number, tookMs: number): void {
    this.atMs[this.next] = nowMs;
    this.tookMs[this.next] = tookMs;
    this.next = (this.next + 1) % bound;
    this.held = Math.min(bound, this.held + 1);
  }

  figures(nowMs: number): LatencyFigures {
    const recent: number[] = [];
    for (let at = 0; at < this.held; at++)
      if (nowMs - (this.atMs[at] ?? 0) <= keptMs) recent.push(this.tookMs[at] ?? 0);
    recent.sort((a, b) => a - b);
    const at = (share: number): number =>
      recent[Math.min(recent.length - 1, Math.floor(share * recent.length))] ?? 0;
    return { p50: at(0.5), p99: at(0.99), max: recent.at(-1) ?? 0, count: recent.length };
  }
}
