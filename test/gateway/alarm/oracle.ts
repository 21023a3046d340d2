/**
 * A second, independent reading of CLINICAL 3: given all samples of one limit at once, which episodes are there? It
 * knows nothing of the judge and keeps no state machine: it walks over runs by plain conditions on the list.
 */
export interface OracleLimit {
  readonly direction: 'high' | 'low';
  readonly value: number;
  readonly delayMs: number;
  readonly hysteresis: number;
  readonly maxGapMs: number;
  readonly span?: readonly [number, number];
}
export interface OracleSample {
  readonly atMs: number;
  readonly value: number;
  readonly questionable?: boolean;
}
export interface Episode {
  readonly onset: number;
  readonly raisedAt: number;
  readonly clearedAt: number | null;
  readonly peak: number;
}

export function episodes(limit: OracleLimit, samples: readonly OracleSample[]): Episode[] {
  const sign = limit.direction === 'high' ? 1 : -1;
  const beyond = (value: number): boolean => sign * (value - limit.value) > 0;
  const wantedEnd = Number((limit.value - sign * limit.hysteresis).toFixed(6));
  const end =
    limit.span === undefined ? wantedEnd : Math.min(limit.span[1], Math.max(limit.span[0], wantedEnd));
  const ends = (one: OracleSample): boolean => one.questionable !== true && sign * (one.value - end) <= 0;

  const found: Episode[] = [];
  let first = 0;
  while (first < samples.length) {
    const onset = samples[first];
    if (onset === undefined || !beyond(onset.value)) {
      first += 1;
      continue;
    }
    // Where does the run that begins here stop if it is never raised?
    let stop = first + 1;
    let raised = beyond(onset.value) && limit.delayMs <= 0 ? first : -1;
    while (stop < samples.length && raised < 0) {
      const one = samples[stop];
      const before = samples[stop - 1];
      if (one === undefined || before === undefined) break;
      if (one.atMs - before.atMs > limit.maxGapMs) break;
      if (ends(one)) break;
      if (beyond(one.value) && one.atMs >= onset.atMs + limit.delayMs) raised = stop;
      stop += 1;
    }
    if (raised < 0) {
      first = stop;
      continue;
    }
    let cleared = raised + 1;
    while (cleared < samples.length && !ends(samples[cleared] ?? onset)) cleared += 1;
    const during = samples.slice(first, cleared).filter((one) => beyond(one.value));
    found.push({
      onset: onset.atMs,
      raisedAt: samples[raised]?.atMs ?? NaN,
      clearedAt: samples[cleared]?.atMs ?? null,
      peak: sign * Math.max(...during.map((one) => sign * one.value)),
    });
    first = cleared;
  }
  return found;
}
