import type { ScorePart } from '../../../model/score.ts';
import type { LiveSeries } from '../../intake/types.ts';
import { lineOf, rankOf } from '../source-order.ts';
import type { Trails } from './trails.ts';

/** How old a part may be (CLINICAL 10); settable. */
export interface PartAges {
  readonly continuousMs: number;
  readonly episodicMs: number;
}

/** A series at a bed, with the begin of its association: what was taken before is another patient's. */
export interface SeriesAtBed {
  readonly series: LiveSeries;
  readonly sinceMs: number;
}

export interface PartFinder {
  readonly all: readonly SeriesAtBed[];
  readonly trails: Trails;
  readonly ages: PartAges;
  readonly nowMs: number;
}

/** What a part looks for: a line or quantity of numbers, a charted code, or oxygen. */
export type PartWanted = { readonly line: string } | { readonly code: string } | { readonly oxygen: true };

/** The part as the bed shows it now: the preferred source that is young enough, else named as old or missing. */
export function findPart(part: string, wanted: PartWanted, at: PartFinder): ScorePart {
  if ('oxygen' in wanted) return oxygenPart(part, at);
  if ('code' in wanted) return codePart(part, wanted.code, at);
  const candidates = at.all
    .filter(({ series, sinceMs }) => isOfLine(series, wanted.line) && isNumber(series, sinceMs))
    .map(({ series }) => series)
    .toSorted((a, b) => rankOf(a.metricId) - rankOf(b.metricId) || takenAt(b) - takenAt(a));
  const young = candidates.find((series) => at.nowMs - takenAt(series) <= ageOf(series, at.ages));
  const found = young ?? candidates[0];
  const latest = found?.latest;
  if (!found || typeof latest?.value !== 'number') return { part, state: 'missing' };
  const value = asItStands(found) ? latest.value : at.trails.median(found, latest);
  return {
    part,
    value,
    unit: found.metric?.unit ?? '1',
    takenAtMs: latest.takenAtMs,
    device: found.device,
    state: young ? 'known' : 'old',
  };
}

function codePart(part: string, metric: string, { all, ages, nowMs }: PartFinder): ScorePart {
  const newest = newestOf(all.filter(({ series }) => series.metricId === metric));
  const { latest } = newest ?? {};
  if (!newest || latest?.code === undefined) return { part, state: 'missing' };
  const young = nowMs - latest.takenAtMs <= ages.episodicMs;
  const { code, takenAtMs } = latest;
  return { part, code, takenAtMs, device: newest.device, state: young ? 'known' : 'old' };
}

/** Oxygen from charting, or FiO2 above 21 % (CLINICAL 10). Who says oxygen is believed before who says air. */
function oxygenPart(part: string, at: PartFinder): ScorePart {
  const told = at.all
    .filter(({ series, sinceMs }) => isOxygen(series) && isNumber(series, sinceMs))
    .map(({ series }) => {
      const given = (series.latest?.value ?? 0) > (series.metric?.unit === '%' ? 21 : 0);
      const young = at.nowMs - takenAt(series) <= at.ages.episodicMs;
      return { series, given, young };
    });
  const young = told.filter((one) => one.young);
  const best = young.find((one) => one.given) ?? young[0] ?? told[0];
  if (!best) return { part, state: 'missing' };
  const { series, given } = best;
  const where = { takenAtMs: takenAt(series), device: series.device };
  return { part, code: given ? 'oxygen' : 'air', ...where, state: best.young ? 'known' : 'old' };
}

const isOxygen = ({ metric }: LiveSeries): boolean =>
  metric?.quantity === 'oxygen' || metric?.quantity === 'fio2';

/** Lines are those of the source order; `temperature` is the quantity, skin left out. */
const isOfLine = (series: LiveSeries, line: string): boolean =>
  lineOf(series.metricId) === line || (line === 'temperature' && series.metric?.quantity === line);

const isNumber = ({ latest }: LiveSeries, sinceMs: number): boolean =>
  latest !== undefined &&
  typeof latest.value === 'number' &&
  latest.validity === 'valid' &&
  latest.takenAtMs >= sinceMs;

const takenAt = ({ latest }: LiveSeries): number => latest?.takenAtMs ?? -Infinity;

/** Measured now and then, or as slow as a temperature: no median, and good for longer. */
const asItStands = ({ metric }: LiveSeries): boolean =>
  metric?.episodic === true || metric?.quantity === 'temperature';

const ageOf = (series: LiveSeries, ages: PartAges): number =>
  asItStands(series) ? ages.episodicMs : ages.continuousMs;

function newestOf(all: readonly SeriesAtBed[]): LiveSeries | undefined {
  let newest: LiveSeries | undefined;
  for (const { series, sinceMs } of all) {
    if (series.latest === undefined || series.latest.takenAtMs < sinceMs) continue;
    if (!newest || takenAt(series) > takenAt(newest)) newest = series;
  }
  return newest;
}
