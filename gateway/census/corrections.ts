import type { Association, AssociationCorrection } from '../../model/census.ts';

/** What a person says was wrong with an association, and why. */
export interface Correction {
  readonly beginAtMs?: number;
  readonly endAtMs?: number;
  /** It never ended: the end is taken back. */
  readonly reopen?: boolean;
  readonly reason: string;
}
export type CorrectionRefusal =
  'absent' | 'future' | 'end-before-begin' | 'overlap' | 'unchanged' | 'too-many-corrections';

/** Corrections of one association that are kept; more are refused. */
export const correctionBound = 100;

/** Begin inclusive, end exclusive; equal: it never held. */
export const isStruck = ({ beginAtMs, endAtMs }: Pick<Association, 'beginAtMs' | 'endAtMs'>): boolean =>
  endAtMs !== undefined && endAtMs <= beginAtMs;

/** Whether two stretches of one device share an instant; a struck one shares none. */
export const overlaps = (
  one: Pick<Association, 'beginAtMs' | 'endAtMs'>,
  other: Pick<Association, 'beginAtMs' | 'endAtMs'>,
): boolean =>
  !isStruck(one) &&
  !isStruck(other) &&
  one.beginAtMs < (other.endAtMs ?? Infinity) &&
  other.beginAtMs < (one.endAtMs ?? Infinity);

/** The association as corrected, with what it was; or why it cannot be so. `others`: of the same device. */
export function corrected(
  before: Association,
  wanted: Correction,
  at: { readonly nowMs: number; readonly by: string; readonly others: readonly Association[] },
): Association | Exclude<CorrectionRefusal, 'absent'> {
  const { endAtMs: endBefore, endedBy, corrections = [], ...rest } = before;
  const beginAtMs = wanted.beginAtMs ?? before.beginAtMs;
  const endAtMs = wanted.reopen ? undefined : (wanted.endAtMs ?? endBefore);
  if (beginAtMs === before.beginAtMs && endAtMs === endBefore) return 'unchanged';
  if (beginAtMs > at.nowMs || (endAtMs ?? 0) > at.nowMs) return 'future';
  if (endAtMs !== undefined && endAtMs < beginAtMs) return 'end-before-begin';
  if (corrections.length >= correctionBound) return 'too-many-corrections';
  if (at.others.some((other) => other.id !== before.id && overlaps(other, { beginAtMs, endAtMs })))
    return 'overlap';
  const was: AssociationCorrection = {
    atMs: at.nowMs,
    by: at.by,
    reason: wanted.reason,
    beginAtMs: before.beginAtMs,
    ...(endBefore === undefined ? {} : { endAtMs: endBefore }),
  };
  return {
    ...rest,
    beginAtMs,
    ...(endAtMs === undefined ? {} : { endAtMs, endedBy: endedBy ?? at.by }),
    corrections: [...corrections, was],
  };
}

type Stretch = readonly [fromMs: number, toMs: number];

/** The stretches that a correction took from the association (`lost`) and gave to it (`gained`); open ends are Infinity. */
export function correctedSpans(
  before: Association,
  after: Association,
): { readonly lost: readonly Stretch[]; readonly gained: readonly Stretch[] } {
  const was: Stretch = [before.beginAtMs, before.endAtMs ?? Infinity];
  const is: Stretch = [after.beginAtMs, after.endAtMs ?? Infinity];
  return { lost: without(was, is), gained: without(is, was) };
}

/** What of the first is not in the second. */
function without([from, to]: Stretch, [cutFrom, cutTo]: Stretch): Stretch[] {
  if (cutFrom >= cutTo) return from < to ? [[from, to]] : [];
  const parts: Stretch[] = [
    [from, Math.min(to, cutFrom)],
    [Math.max(from, cutTo), to],
  ];
  return parts.filter(([begin, end]) => begin < end);
}
