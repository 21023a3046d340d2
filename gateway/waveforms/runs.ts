import type { Run } from './codec.ts';

/** What must be equal for samples to stand in one chunk. */
export interface WaveForm {
  readonly periodUs: number;
  readonly gain: number;
  readonly offset: number;
  /** gateway/intake/wave-head.ts. */
  readonly marks: number;
}

/**
 * Blocks are stamped by clocks that tremble, so one that begins within this (and within half of its own length, or a
 * short one sent twice would follow itself) of the end of the one before follows it without a gap.
 */
export const jointMs = 50;
const jointOf = ({ samples }: Run, periodUs: number): number =>
  Math.min(jointMs, (samples.length * periodUs) / 2_000);

/** A run that would be longer begins anew: its clock is looked at again. */
const longestRun = 65_536;

export const endMs = ({ fromMs, samples }: Run, periodUs: number): number =>
  fromMs + (samples.length * periodUs) / 1_000;

/** The part of a run that was taken from `fromMs` on and before `toMs`; undefined when there is none. */
export function clip(run: Run, periodUs: number, [fromMs, toMs]: readonly [number, number]): Run | undefined {
  const period = periodUs / 1_000;
  const first = Math.max(0, Math.ceil((fromMs - run.fromMs) / period - 1e-6));
  const end = Math.min(run.samples.length, Math.ceil((toMs - run.fromMs) / period - 1e-6));
  if (first >= end) return undefined;
  if (first === 0 && end === run.samples.length) return run;
  return { fromMs: run.fromMs + first * period, samples: run.samples.subarray(first, end) };
}

/**
 * Puts runs in the order of time, joins what follows without a gap, and leaves out what comes a second time: where two
 * cover the same instant, the one that begins earlier stands.
 */
export function joined(runs: readonly Run[], periodUs: number): Run[] {
  const sorted = runs.toSorted((a, b) => a.fromMs - b.fromMs);
  const open: { fromMs: number; parts: Int16Array[]; count: number }[] = [];
  let coveredToMs = -Infinity;
  for (const run of sorted) {
    const ends = endMs(run, periodUs);
    const slackMs = jointOf(run, periodUs);
    const fresh = run.fromMs >= coveredToMs - slackMs ? run : clip(run, periodUs, [coveredToMs, ends]);
    coveredToMs = Math.max(coveredToMs, ends);
    if (!fresh) continue;
    const last = open.at(-1);
    const expectedMs = last ? last.fromMs + (last.count * periodUs) / 1_000 : -Infinity;
    const follows = Math.abs(fresh.fromMs - expectedMs) <= slackMs;
    if (last && follows && last.count + fresh.samples.length <= longestRun) {
      last.parts.push(fresh.samples);
      last.count += fresh.samples.length;
    } else open.push({ fromMs: fresh.fromMs, parts: [fresh.samples], count: fresh.samples.length });
  }
  return open.map(({ fromMs, parts, count }) => ({ fromMs, samples: together(parts, count) }));
}

function together(parts: readonly Int16Array[], count: number): Int16Array {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const all = new Int16Array(count);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
