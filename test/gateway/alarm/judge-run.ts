import { judgeRule, LimitJudge } from '../../../gateway/alarm/limit-judge.ts';
import type { Episode, OracleLimit, OracleSample } from './oracle.ts';

export const judgeOf = (limit: OracleLimit): LimitJudge =>
  new LimitJudge(
    judgeRule(
      {
        direction: limit.direction,
        value: limit.value,
        delayS: limit.delayMs / 1_000,
        hysteresis: limit.hysteresis,
      },
      { maxGapMs: limit.maxGapMs, ...(limit.span ? { span: limit.span } : {}) },
    ),
  );

/** The episodes the judge makes of live samples in order. */
export function judged(limit: OracleLimit, samples: readonly OracleSample[]): Episode[] {
  const judge = judgeOf(limit);
  const found: Episode[] = [];
  let open: { onset: number; raisedAt: number; peak: number } | undefined;
  for (const { atMs, value, questionable = false } of samples) {
    const peakBefore = judge.peak;
    const move = judge.sample(atMs, value, questionable, false);
    if (move?.includes('raise')) open = { onset: judge.onsetMs, raisedAt: atMs, peak: judge.peak };
    if (open) open.peak = judge.presence === 'absent' ? peakBefore : judge.peak;
    if (open && move?.includes('end')) {
      found.push({ ...open, clearedAt: atMs });
      open = undefined;
    }
  }
  if (open) found.push({ ...open, clearedAt: null });
  return found.map(({ onset, raisedAt, clearedAt, peak }) => ({ onset, raisedAt, clearedAt, peak }));
}
