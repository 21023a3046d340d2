import { Fault } from '../../model/fault.ts';
import { seriesKey, splitKey } from '../../model/observation.ts';
import { lineOf } from '../alarm/source-order.ts';
import type { FiguresOptions, Step } from './step.ts';
import { given, unitOf } from './read.ts';
import type { AttributedSpan, FigureQuery, FigureRow, MissingReason } from './types.ts';
import { cut, type ReadPlan } from './windows.ts';

/** Steps asked for at once when looking who was heard at all. */
const stepsAtOnce = 800;
const mostRows = 100_000;
/** Steps without a valid number of which the reason is looked up. */
const reasonsAtMost = 500;

interface GapAsk {
  readonly query: FigureQuery;
  readonly plan: ReadPlan;
  readonly steps: readonly Step[];
  readonly rows: readonly FigureRow[];
}

/**
 * Every step of every metric, those without a figure with the reason: nobody was associated, the bed was on standby or
 * the patient away, the device said nothing at all, it said nothing of this metric, or nothing valid of it.
 */
export async function fillGaps(options: FiguresOptions, ask: GapAsk): Promise<FigureRow[]> {
  const { query, plan, steps, rows } = ask;
  const slots = slotsOf(query, plan, rows);
  if (slots.length * steps.length > mostRows)
    throw new Fault('STORE_TOO_MUCH', { asked: slots.length * steps.length, most: mostRows });
  const figured = new Map<string, FigureRow[]>();
  for (const row of rows) {
    const key = `${slotOf(plan, row)} ${row.fromMs}`;
    figured.set(key, [...(figured.get(key) ?? []), row]);
  }
  const lacking = steps.filter(({ atMs }) =>
    slots.some((slot) => !(figured.get(`${slot.key} ${atMs}`) ?? []).some((row) => row.count > 0)),
  );
  const missing = await missingAt(options, query, plan, lacking);
  const reasons = await reasonsOf(
    options,
    query,
    plan,
    rows.filter((row) => row.count === 0),
  );
  return steps.flatMap((step) =>
    slots.flatMap((slot): FigureRow[] => {
      const own = figured.get(`${slot.key} ${step.atMs}`) ?? [];
      if (own.some((row) => row.count > 0)) return own;
      if (own.length > 0)
        return own.map((row) => ({
          ...row,
          missing: 'not-valid',
          ...given({ reason: reasons.get(reasonKey(row)) }),
        }));
      const why = missing.get(step.atMs) ?? 'not-measured';
      return [{ ...slot.names, unit: slot.unit, fromMs: step.atMs, count: 0, value: null, missing: why }];
    }),
  );
}

interface Slot {
  readonly key: string;
  readonly names: { readonly metric: string; readonly channel?: string };
  readonly unit: string;
}

/** What is expected in each step: a metric, or a quantity where several sources stand in for each other. */
function slotsOf(query: FigureQuery, plan: ReadPlan, rows: readonly FigureRow[]): Slot[] {
  const slots = new Map<string, Slot>();
  const asked = query.metrics?.map(splitKey);
  for (const named of [...(asked ?? []), ...rows]) {
    const names = { metric: named.metric, ...given({ channel: named.channel }) };
    const key = slotOf(plan, names);
    const unit = query.aggregate === 'count' ? '1' : unitOf(named.metric);
    if (!slots.has(key)) slots.set(key, { key, names, unit });
  }
  return [...slots.values()];
}

function slotOf(plan: ReadPlan, { metric, channel }: { metric: string; channel?: string }): string {
  const line = lineOf(metric);
  return plan.rivals.some((group) => group.line === line) ? line : seriesKey(metric, channel);
}

async function missingAt(
  options: FiguresOptions,
  query: FigureQuery,
  plan: ReadPlan,
  steps: readonly Step[],
): Promise<Map<number, MissingReason>> {
  const missing = new Map<number, MissingReason>();
  const heard = await heardIn(options, plan.spans, steps, query);
  for (const step of steps) {
    const there = cut(plan.spans, [step.fromMs, step.toMs]);
    const [first] = there;
    const bed = query.bed ?? first?.bed;
    const watched = bed === undefined ? 'on' : stateAt(options, bed, step.fromMs);
    if (!first) missing.set(step.atMs, 'not-associated');
    else if (heard.has(step.atMs)) missing.set(step.atMs, 'not-measured');
    else if (watched === 'standby' || watched === 'away') missing.set(step.atMs, watched);
    else missing.set(step.atMs, 'device-silent');
  }
  return missing;
}

const stateAt = ({ watchedAs }: FiguresOptions, bed: string, atMs: number): string =>
  watchedAs(bed).findLast(({ fromMs }) => fromMs <= atMs)?.state ?? 'on';

/** Steps in which any device of the query said anything. */
async function heardIn(
  options: FiguresOptions,
  spans: readonly AttributedSpan[],
  steps: readonly Step[],
  query: FigureQuery,
): Promise<ReadonlySet<number>> {
  const heard = new Set<number>();
  const ownMs = options.ownMs(query.fromMs);
  for (let at = 0; at < steps.length; at += stepsAtOnce) {
    const some = steps.slice(at, at + stepsAtOnce);
    const asked = some.flatMap((step) => cut(spans, [step.fromMs, step.toMs]));
    const own = (some[0]?.fromMs ?? 0) >= ownMs;
    const rows = await options.storeOf(own).aggregate(asked, query.everyMs, ['count']);
    const said = new Set(rows.map(({ fromMs }) => fromMs));
    const { aroundMs } = query;
    for (const step of some) {
      // Around a full step the window lies in the interval before it and the one after.
      const first = Math.floor(step.fromMs / query.everyMs) * query.everyMs;
      if (said.has(first) || (aroundMs !== undefined && said.has(first + query.everyMs)))
        heard.add(step.atMs);
    }
  }
  return heard;
}

const reasonKey = (row: { device?: string; metric: string; channel?: string; fromMs: number }): string =>
  `${row.device} ${seriesKey(row.metric, row.channel)} ${row.fromMs}`;

/** What the device last said in steps without a valid number. */
async function reasonsOf(
  options: FiguresOptions,
  query: FigureQuery,
  plan: ReadPlan,
  rows: readonly FigureRow[],
): Promise<ReadonlyMap<string, string>> {
  const reasons = new Map<string, string>();
  const half = query.aroundMs;
  const ownMs = options.ownMs(query.fromMs);
  for (const row of rows.slice(0, reasonsAtMost)) {
    const fromMs = row.fromMs - (half ?? 0);
    const within = [fromMs, row.fromMs + (half ?? query.everyMs)] as const;
    const spans = cut(plan.spans, within)
      .filter(({ device }) => device === row.device)
      .map((span) => ({ ...span, metrics: [seriesKey(row.metric, row.channel)] }));
    const store = options.storeOf(fromMs >= ownMs);
    const said = await store.range(spans, { limit: 1 });
    const reason = said.rows[0]?.reason;
    if (reason !== undefined) reasons.set(reasonKey(row), reason);
  }
  return reasons;
}
