/**
 * Which of several sources of one quantity a query gives at each instant (CLINICAL 2). The answer for an instant
 * depends on what was taken in the 30 s before it and on nothing else, so that the same row is given whatever span or
 * page it is asked in.
 */

/** A preferred source invalid or silent this long gives way; it is given again after as long of valid values. */
export const steadyMs = 10_000;
/** How far back of an instant the choice looks. */
export const lookBackMs = 3 * steadyMs;

/** One value of one source, in order of time. */
export interface SourceSample {
  /** Place in the list of sources, most preferred first. */
  readonly source: number;
  readonly takenAtMs: number;
  /** `valid` is a number that counts; `doubtful` a questionable one; `none` is invalid or missing. */
  readonly says: 'valid' | 'doubtful' | 'none';
}

/** From this instant on this source is given. */
export interface Choice {
  readonly fromMs: number;
  readonly source: number;
}

/** Samples from `lookBackMs` before `fromMs` on; the choices inside of [fromMs, toMs), the first of them at `fromMs`. */
export function chooseSources(
  samples: readonly SourceSample[],
  span: {
    readonly fromMs: number;
    readonly toMs: number;
    readonly sources: number;
    /** Whether the source was the patient's then: one that is not any more has not been lost. */
    readonly covers: (source: number, atMs: number) => boolean;
  },
): Choice[] {
  const lines = Array.from({ length: span.sources }, () => new SourceRun());
  const choices: Choice[] = [{ fromMs: span.fromMs, source: 0 }];
  for (let at = 0; at < samples.length;) {
    const atMs = samples[at]?.takenAtMs ?? 0;
    if (atMs >= span.toMs) break;
    // What was taken at the same instant is weighed together: no order among them can decide.
    const begun: SourceRun[] = [];
    for (; samples[at]?.takenAtMs === atMs; at++) {
      const sample = samples[at];
      const line = lines[sample?.source ?? -1];
      if (sample && line?.take(sample)) begun.push(line);
    }
    for (const line of begun)
      line.joined(
        lines.filter((_, index) => span.covers(index, atMs)),
        atMs,
      );
    const source = bestAt(
      lines.map((each, index) => (span.covers(index, atMs) ? each : undefined)),
      atMs,
    );
    if (choices.at(-1)?.source === source) continue;
    if (atMs <= span.fromMs) choices[0] = { fromMs: span.fromMs, source };
    else choices.push({ fromMs: atMs, source });
  }
  return choices;
}

/** The most preferred of those in the best standing. */
function bestAt(lines: readonly (SourceRun | undefined)[], atMs: number): number {
  let best = 0;
  let standing = Infinity;
  lines.forEach((line, index) => {
    const its = line?.standing(atMs) ?? Infinity;
    if (its >= standing) return;
    standing = its;
    best = index;
  });
  return best;
}

/** What one source gave lately. */
class SourceRun {
  private validAtMs = -Infinity;
  private doubtfulAtMs = -Infinity;
  private seenAtMs = -Infinity;
  /** Begin of the run of valid values that is not yet broken. */
  private runAtMs = -Infinity;
  /** It began while nobody else was steady: it has not been lost, so it need not prove itself. */
  private first = false;

  /** True when a run of valid values begins. */
  take({ takenAtMs, says }: SourceSample): boolean {
    this.seenAtMs = takenAtMs;
    if (says === 'doubtful') this.doubtfulAtMs = takenAtMs;
    if (says !== 'valid') return false;
    const begins = takenAtMs - this.validAtMs >= steadyMs;
    this.validAtMs = takenAtMs;
    if (begins) this.runAtMs = takenAtMs;
    return begins;
  }

  joined(lines: readonly SourceRun[], atMs: number): void {
    this.first = lines.every((line) => line === this || !line.isLive(atMs) || atMs - line.runAtMs < steadyMs);
  }

  /** 0 is the best: steady; then alive, doubtful, seen at all, silent. */
  standing(atMs: number): number {
    if (this.isLive(atMs)) return this.first || atMs - this.runAtMs >= steadyMs ? 0 : 1;
    if (atMs - this.doubtfulAtMs < steadyMs) return 2;
    return atMs - this.seenAtMs < steadyMs ? 3 : 4;
  }

  private isLive(atMs: number): boolean {
    return atMs - this.validAtMs < steadyMs;
  }
}
