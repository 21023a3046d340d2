// Goal: nothing is ever under the wrong patient, nothing missing, nothing doubled (DESIGN promise 3, CLINICAL 9, 11).
// Way: random histories of a ward — admitting, transferring, swapping monitors, merging, late data, charting, and
// corrections of all of it long after — on the real census and the real store. Beside them a plain list of what each
// device took when, and of who a nurse last said was on it; every question is answered from both.
import fc from 'fast-check';
import { expect } from 'vitest';
import { openCensus, type Census } from '../../../gateway/census/census.ts';
import { Observations } from '../../../gateway/query/observations.ts';
import type { AttributedRow, ObservationQuery } from '../../../gateway/query/types.ts';
import { chartedSource, isCharted } from '../../../model/charted.ts';
import { anna, countedChance } from '../../house/alarm-house.ts';
import { memoryRows } from '../../house/memory-rows.ts';
import { virtualClock } from '../../house/virtual-clock.ts';
import { numberRow } from '../store/bodies.ts';
import type { OpenStore } from './store.ts';

const minuteMs = 60_000;
const metricsSaid = ['MDC_ECG_HEART_RATE', 'MDC_PULS_OXIM_PULS_RATE', 'MDC_PULS_OXIM_SAT_O2'];
const beds = ['bed-1', 'bed-2', 'bed-3'];
const machines = ['a', 'b', 'c'];

const acts = fc.array(
  fc.record({
    what: fc.constantFrom(
      ...['admit', 'associate', 'associate', 'end', 'transfer', 'discharge', 'swap', 'merge', 'unmerge'],
      ...[
        'correct',
        'correct',
        'correct',
        'say',
        'say',
        'say',
        'late',
        'late',
        'lost-clock',
        'chart',
        'restart',
      ],
    ),
    device: fc.nat(machines.length - 1),
    bed: fc.nat(beds.length - 1),
    pick: fc.nat(1_000),
    other: fc.nat(1_000),
    backMs: fc.constantFrom(0, 1, 30_000, 10 * minuteMs, 40 * minuteMs),
    lengthMs: fc.constantFrom(0, 1, minuteMs, 20 * minuteMs),
    waitMs: fc.constantFrom(0, 1, 1_000, minuteMs, 15 * minuteMs),
    temporary: fc.boolean(),
  }),
  { minLength: 10, maxLength: 40, size: 'max' },
);
type Act = typeof acts extends fc.Arbitrary<readonly (infer A)[]> ? A : never;

/** What a nurse last said: this device was with this stay at this bed from … to …. */
interface Stand {
  readonly id: string;
  readonly device: string;
  readonly bed: string;
  readonly encounter: string | undefined;
  fromMs: number;
  toMs: number;
}
interface Taken {
  readonly device: string;
  readonly seq: number;
  readonly metric: string;
  readonly takenAtMs: number;
  readonly unplaced: boolean;
  /** A number; else it is missing. */
  readonly valid: boolean;
}
interface Stay {
  readonly patient: string;
  readonly admittedAtMs: number;
  dischargedAtMs: number;
  /** Where it was, each until the next. */
  readonly places: { fromMs: number; bed: string | undefined }[];
}

const at = <T>(list: readonly T[], index: number): T | undefined => list[index % Math.max(1, list.length)];
const isStruck = (stand: Stand): boolean => stand.toMs <= stand.fromMs;
const share = (one: Pick<Stand, 'fromMs' | 'toMs'>, other: Pick<Stand, 'fromMs' | 'toMs'>): boolean =>
  one.fromMs < one.toMs && other.fromMs < other.toMs && one.fromMs < other.toMs && other.fromMs < one.toMs;

/** The naive books. */
class Truth {
  readonly stands: Stand[] = [];
  readonly taken: Taken[] = [];
  readonly stays = new Map<string, Stay>();
  readonly mergedInto = new Map<string, string>();
  private readonly decided = new Map<Taken, { encounter?: string; bed?: string; patient?: string }>();
  private readonly bySubject = new Map<string, readonly Taken[]>();

  free(device: string, span: Pick<Stand, 'fromMs' | 'toMs'>, but?: Stand): boolean {
    return this.stands.every((one) => one === but || one.device !== device || !share(one, span));
  }

  person(patient: string): string {
    const next = this.mergedInto.get(patient);
    return next === undefined ? patient : this.person(next);
  }

  /** Whose an observation is, as far as anybody knows at the end. */
  whose(one: Taken): { encounter?: string; bed?: string; patient?: string } {
    const known = this.decided.get(one) ?? this.decide(one);
    this.decided.set(one, known);
    return known;
  }

  /** All of one quantity of one patient at one place that devices said, in order of time. */
  ofSubject(one: Taken): readonly Taken[] {
    if (this.bySubject.size === 0) {
      for (const other of this.taken) {
        if (isCharted(other.device) || other.unplaced) continue;
        const key = this.subjectKey(other);
        this.bySubject.set(key, [...(this.bySubject.get(key) ?? []), other]);
      }
    }
    return this.bySubject.get(this.subjectKey(one)) ?? [];
  }

  private subjectKey(one: Taken): string {
    const { encounter, bed } = this.whose(one);
    return `${encounter ?? bed ?? ''} ${quantityOf(one.metric)}`;
  }

  private decide(one: Taken): { encounter?: string; bed?: string; patient?: string } {
    const [, charted] = /^charted-(.*)$/.exec(one.device) ?? [];
    if (charted !== undefined) {
      const stay = this.stays.get(charted);
      const bed = stay?.places.findLast((place) => place.fromMs <= one.takenAtMs)?.bed;
      return { encounter: charted, ...this.named(stay), ...(bed === undefined ? {} : { bed }) };
    }
    const stand = this.stands.find(
      ({ device, fromMs, toMs }) => device === one.device && fromMs <= one.takenAtMs && one.takenAtMs < toMs,
    );
    if (!stand || one.unplaced) return {};
    const { bed, encounter } = stand;
    return encounter === undefined ? { bed } : { bed, encounter, ...this.named(this.stays.get(encounter)) };
  }

  private named(stay: Stay | undefined): { patient?: string } {
    return stay ? { patient: this.person(stay.patient) } : {};
  }

  /** What a question must be answered with. */
  answer(query: ObservationQuery): Taken[] {
    return this.taken.filter((one) => {
      if (one.takenAtMs < query.fromMs || one.takenAtMs >= query.toMs) return false;
      if (query.device !== undefined) return one.device === query.device;
      const whose = this.whose(one);
      if (query.encounter !== undefined) return whose.encounter === query.encounter;
      if (query.patient !== undefined)
        return whose.patient !== undefined && whose.patient === this.person(query.patient);
      return whose.bed === query.bed;
    });
  }
}

class Room {
  readonly clock = virtualClock();
  readonly truth = new Truth();
  readonly prefix: string;
  private readonly store: OpenStore;
  private readonly chance;
  private rows = memoryRows();
  private seq = 0;
  private mrns = 0;
  census!: Census;

  constructor(store: OpenStore, run: number) {
    this.store = store;
    this.prefix = `run-${run}`;
    const counted = countedChance();
    // One store serves all histories: each has its own stays in it.
    this.chance = { ...counted, id: (kind: string) => `${counted.id(kind)}-${run}` };
  }

  async open(): Promise<void> {
    const { rows, clock, chance } = this;
    this.census = await openCensus({ rows, clock, chance, audit: () => undefined });
  }

  async furnish(): Promise<void> {
    await this.open();
    await this.census.addWard(anna, { id: 'w', name: 'w', profile: 'adult' });
    for (const id of beds) await this.census.addBed(anna, { id, ward: 'w', label: id });
  }

  async restart(): Promise<void> {
    this.rows = this.rows.killed();
    await this.open();
    this.store.settle();
  }

  queries(): Observations {
    const { census, clock, store } = this;
    return new Observations({
      historian: store.historian,
      spansOf: (whose, fromMs, toMs) => {
        const charted = census.chartedOf(whose, fromMs, toMs);
        const own = whose.device !== undefined && isCharted(whose.device);
        return own ? charted : [...census.spansOf(whose, fromMs, toMs), ...charted];
      },
      known: () => true,
      latest: () => [],
      sinceMs: (device) => census.current(device)?.beginAtMs,
      watchedAs: (bed) => census.watchedAs(bed),
      isCharted,
      nowMs: () => clock.nowMs(),
    });
  }

  /** A device says something: the store keeps device, times and value, and nothing else. */
  say(
    device: string,
    takenAtMs: number,
    more: { metric: number; unplaced?: boolean; missing?: boolean },
  ): void {
    const { unplaced = false, missing = false } = more;
    const seq = this.seq++;
    const metric = at(metricsSaid, more.metric) ?? '';
    const row = numberRow(device, metric, takenAtMs, 60 + (seq % 40), seq);
    const lack = missing ? ({ value: null, validity: 'invalid', reason: 'sensor-off' } as const) : {};
    const historical = this.clock.nowMs() - takenAtMs > minuteMs;
    const receivedAtMs = this.clock.nowMs();
    this.store.append([[{ ...row, ...lack, historical, unplaced, receivedAtMs }]]);
    this.truth.taken.push({ device, seq, metric, takenAtMs, unplaced, valid: !missing });
  }

  /** Some seconds of a monitor that has both rates, with sensors that come off and go on again. */
  private burst(device: string, act: Act, backMs: number): void {
    const seconds = 1 + (act.other % 20);
    const fromMs = this.clock.nowMs() - backMs;
    if (backMs === 0) this.clock.passSync(seconds * 1_000);
    for (let second = 0; second < seconds; second++) {
      const atMs = fromMs + second * 1_000;
      for (const metric of [0, 1, 2]) {
        const mood = (act.pick + (metric + 1) * Math.floor(second / 6)) % 5;
        if (mood !== 0) this.say(device, atMs, { metric, missing: mood === 1 });
      }
    }
  }

  async act(act: Act): Promise<void> {
    this.clock.passSync(act.waitMs);
    const device = `${this.prefix}-${machines[act.device] ?? ''}`;
    const nowMs = this.clock.nowMs();
    const { truth, census } = this;
    const bed = beds[act.bed] ?? '';
    const open = [...truth.stays].filter(([, stay]) => stay.dischargedAtMs === Infinity).map(([id]) => id);
    switch (act.what) {
      case 'admit':
        return this.admit(bed, act.temporary);
      case 'transfer': {
        const id = at(open, act.pick) ?? '';
        const moved = await census.transfer(anna, id, { ward: 'w', bed });
        if (typeof moved !== 'string') truth.stays.get(id)?.places.push({ fromMs: nowMs, bed });
        return;
      }
      case 'discharge': {
        const stay = truth.stays.get(at(open, act.pick) ?? '');
        await census.discharge(anna, at(open, act.pick) ?? '', {});
        if (stay) stay.dischargedAtMs = nowMs;
        return;
      }
      case 'associate':
        return this.associate(device, bed, {
          encounter: act.temporary ? undefined : at(open, act.pick),
          act,
        });
      case 'swap': {
        // One monitor goes from one patient to another at once.
        const stand = truth.stands.find((one) => one.device === device && one.toMs === Infinity);
        if (stand) await this.end(stand, nowMs - act.backMs);
        return this.associate(device, bed, { encounter: at(open, act.other), act });
      }
      case 'end': {
        const stand = at(
          truth.stands.filter((one) => one.toMs === Infinity),
          act.pick,
        );
        return stand && this.end(stand, nowMs - act.backMs);
      }
      case 'correct':
        return this.correct(act);
      case 'merge':
      case 'unmerge':
        return this.merge(act);
      case 'say':
        return this.burst(device, act, 0);
      case 'late':
        return this.burst(device, act, act.backMs + act.lengthMs);
      case 'lost-clock':
        return this.say(device, nowMs - act.lengthMs, { metric: 2, unplaced: true });
      case 'chart': {
        const id = at(open, act.pick);
        if (id === undefined) return;
        const takenAtMs = Math.max(nowMs - act.backMs, truth.stays.get(id)?.admittedAtMs ?? 0);
        return this.say(chartedSource(id), takenAtMs, { metric: 2 });
      }
      default:
        return this.restart();
    }
  }

  private async admit(bed: string, temporary: boolean): Promise<void> {
    const patient = temporary ? {} : { mrn: `m${this.mrns++ % 3}` };
    const stay = await this.census.admit(anna, { ward: 'w', bed, patient });
    if (typeof stay === 'string') return;
    const admittedAtMs = this.clock.nowMs();
    const places = [{ fromMs: -Infinity, bed }];
    this.truth.stays.set(stay.id, { patient: stay.patient, admittedAtMs, dischargedAtMs: Infinity, places });
  }

  private async associate(
    device: string,
    bed: string,
    { encounter, act }: { encounter: string | undefined; act: Act },
  ): Promise<void> {
    const fromMs = this.clock.nowMs() - act.backMs;
    const fits = this.truth.free(device, { fromMs, toMs: Infinity });
    const stay = encounter === undefined ? {} : { encounter };
    const begun = await this.census.associate(anna, { device, bed, ...stay, beginAtMs: fromMs });
    expect(typeof begun !== 'string').toBe(fits);
    if (typeof begun !== 'string')
      this.truth.stands.push({ id: begun.id, device, bed, encounter, fromMs, toMs: Infinity });
  }

  private async end(stand: Stand, atMs: number): Promise<void> {
    await this.census.endAssociation(anna, stand.id, { endAtMs: atMs });
    stand.toMs = Math.max(stand.fromMs, atMs);
  }

  /** Begin and end said anew, a reopened end, or struck out; refused exactly where it cannot be. */
  private async correct(act: Act): Promise<void> {
    const { truth, census } = this;
    const stand = at(truth.stands, act.pick);
    if (!stand) return;
    const nowMs = this.clock.nowMs();
    const fromMs = act.other % 3 === 0 ? stand.fromMs : nowMs - act.backMs - act.lengthMs;
    const reopen = act.other % 5 === 0;
    const toMs = reopen ? Infinity : act.other % 2 === 0 ? stand.toMs : fromMs + act.lengthMs;
    const wanted = { fromMs, toMs };
    const unchanged = fromMs === stand.fromMs && toMs === stand.toMs;
    const fits =
      !unchanged &&
      fromMs <= nowMs &&
      (toMs <= nowMs || toMs === Infinity) &&
      toMs >= fromMs &&
      truth.free(stand.device, wanted, stand);
    const answer = await census.correctAssociation(anna, stand.id, {
      beginAtMs: fromMs,
      ...(reopen ? { reopen } : toMs === Infinity ? {} : { endAtMs: toMs }),
      reason: 'seen later',
    });
    expect([typeof answer !== 'string', answer]).toEqual([fits, answer]);
    if (typeof answer !== 'string') Object.assign(stand, wanted);
  }

  private async merge(act: Act): Promise<void> {
    const { truth, census } = this;
    const people = [...new Set([...truth.stays.values()].map(({ patient }) => patient))];
    const one = at(people, act.pick) ?? '';
    if (act.what === 'unmerge') {
      const undone = await census.unmerge(anna, one, 'not the same');
      expect(typeof undone !== 'string').toBe(truth.mergedInto.delete(one));
      return;
    }
    const other = at(people, act.other) ?? '';
    const fits = one !== '' && !truth.mergedInto.has(one) && truth.person(other) !== one;
    const merged = await census.merge(anna, one, other, 'the same');
    expect(typeof merged !== 'string').toBe(fits);
    if (fits) truth.mergedInto.set(one, truth.person(other));
  }
}

const keyOf = ({ device, seq }: { device: string; seq: number }): string => `${device} ${seq}`;

/** Every question there is, page by page and as lines; then the preferred source of each quantity. */
async function ask(room: Room, fromMs: number, limit: number): Promise<number> {
  const { truth } = room;
  const queries = room.queries();
  const span = { fromMs, toMs: room.clock.nowMs() + 1 };
  const whose = [
    ...[...new Set([...truth.stays.values()].map(({ patient }) => patient))].map((patient) => ({ patient })),
    ...[...truth.stays.keys()].map((encounter) => ({ encounter })),
    ...beds.map((bed) => ({ bed })),
    ...machines.map((name) => ({ device: `${room.prefix}-${name}` })),
  ];
  for (const fact of truth.taken) {
    if (fact.unplaced) continue;
    const said = room.census.whoWasOn(fact.device, fact.takenAtMs);
    const { encounter, bed, patient } = truth.whose(fact);
    expect([said?.encounter, said?.bed, said?.patient]).toEqual([encounter, bed, patient]);
  }
  let rows = 0;
  for (const one of whose) {
    const query = { ...one, ...span, source: 'all' as const };
    const expected = truth.answer(query);
    const given = await everyPage(queries, query, limit);
    expect([one, given.map(keyOf).sort()]).toEqual([one, expected.map(keyOf).sort()]);
    const facts = new Map(truth.taken.map((each) => [keyOf(each), each]));
    for (const row of given) {
      const fact = facts.get(keyOf(row));
      const { patient, encounter, bed } = row;
      const said = Object.fromEntries(Object.entries({ patient, encounter, bed }).filter(([, id]) => id));
      expect([keyOf(row), said]).toEqual([keyOf(row), fact && truth.whose(fact)]);
    }
    const lines = await linesOf(queries, query);
    expect(lines.map(keyOf)).toEqual(given.map(keyOf));
    rows += given.length;
    if (!('device' in one)) await askPreferred(queries, truth, { ...one, ...span });
  }
  return rows;
}

/** One source of each quantity at each instant, in CLINICAL 2's order; what was charted beside it. */
async function askPreferred(queries: Observations, truth: Truth, query: ObservationQuery): Promise<void> {
  const chosen = await everyPage(queries, query, 17);
  const expected = truth.answer(query).filter((one) => isGiven(truth, one));
  expect([query, chosen.map(keyOf).sort()]).toEqual([query, expected.map(keyOf).sort()]);
  expect((await linesOf(queries, query)).map(keyOf).sort()).toEqual(expected.map(keyOf).sort());
}

const ranks = ['MDC_ECG_HEART_RATE', 'MDC_PULS_OXIM_PULS_RATE'];
/** Saturation comes from one metric only; the two rates are one heart. */
const quantityOf = (metric: string): string => (ranks.includes(metric) ? 'heart' : metric);

/** Told from the sentence of CLINICAL 2, for one value alone: is its source the one that counts then? */
function isGiven(truth: Truth, one: Taken): boolean {
  if (isCharted(one.device)) return true;
  const mine = truth.whose(one);
  const subject = mine.encounter ?? mine.bed;
  const stands = truth.stands.filter(
    (stand) => (stand.encounter ?? stand.bed) === subject && !isStruck(stand),
  );
  const isThere = (device: string, atMs: number): boolean =>
    stands.some((stand) => stand.device === device && stand.fromMs <= atMs && atMs < stand.toMs);
  const came = (device: string): number =>
    Math.min(...stands.flatMap((stand) => (stand.device === device ? [stand.fromMs] : [])));
  const all = truth.ofSubject(one);
  const names = [...new Set(all.map(({ device, metric }) => `${device} ${metric}`))].sort((a, b) => {
    const [[deviceA = '', metricA = ''], [deviceB = '', metricB = '']] = [a.split(' '), b.split(' ')];
    return (
      ranks.indexOf(metricA) - ranks.indexOf(metricB) ||
      came(deviceA) - came(deviceB) ||
      (deviceA < deviceB ? -1 : 1)
    );
  });
  const heard = (name: string, atMs: number, valid: boolean): number[] =>
    all
      .filter((other) => `${other.device} ${other.metric}` === name && (!valid || other.valid))
      .map(({ takenAtMs }) => takenAtMs)
      .filter((takenAtMs) => takenAtMs <= atMs && takenAtMs > atMs - 60_000)
      .sort((a, b) => b - a);
  const lives = (name: string, atMs: number): boolean =>
    atMs - (heard(name, atMs, true)[0] ?? -Infinity) < 10_000;
  /** Since when its values have come without a break of ten seconds. */
  const since = (name: string, atMs: number): number => {
    let begin = atMs;
    for (const takenAtMs of heard(name, atMs, true)) {
      if (begin - takenAtMs >= 10_000) break;
      begin = takenAtMs;
    }
    return begin;
  };
  const standing = (name: string): number => {
    const atMs = one.takenAtMs;
    if (!isThere(name.split(' ')[0] ?? '', atMs)) return 9;
    if (!lives(name, atMs)) return atMs - (heard(name, atMs, false)[0] ?? -Infinity) < 10_000 ? 3 : 4;
    const begin = since(name, atMs);
    // It replaces nobody that had been steady: it has not been lost.
    const first = names.every(
      (other) =>
        other === name ||
        !isThere(other.split(' ')[0] ?? '', begin) ||
        !lives(other, begin) ||
        begin - since(other, begin) < 10_000,
    );
    return first || atMs - begin >= 10_000 ? 0 : 1;
  };
  const [best] = names
    .map((name, order) => ({ name, order, its: standing(name) }))
    .sort((a, b) => a.its - b.its || a.order - b.order);
  return best?.name === `${one.device} ${one.metric}`;
}

async function everyPage(
  queries: Observations,
  query: ObservationQuery,
  limit: number,
): Promise<AttributedRow[]> {
  const rows: AttributedRow[] = [];
  let after: string | undefined;
  do {
    const page = await queries.range(query, { limit, ...(after === undefined ? {} : { after }) });
    if (page === 'absent') throw new Error('absent');
    rows.push(...page.rows);
    after = page.next;
  } while (after !== undefined);
  return rows;
}

async function linesOf(queries: Observations, query: ObservationQuery): Promise<AttributedRow[]> {
  const lines = await queries.lines(query, { format: 'ndjson', demo: false });
  if (lines === 'absent') throw new Error('absent');
  const text = Buffer.concat(await Array.fromAsync(lines)).toString();
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as AttributedRow);
}

/** Answers how many rows were compared. */
export async function playHistories(
  store: OpenStore,
  { runs, seed }: { readonly runs: number; readonly seed: number },
): Promise<number> {
  let compared = 0;
  let run = 0;
  await fc.assert(
    fc.asyncProperty(acts, fc.integer({ min: 1, max: 7 }), async (history, limit) => {
      const room = new Room(store, run++);
      await room.furnish();
      const startMs = room.clock.nowMs() - 120 * minuteMs;
      for (const act of history) await room.act(act);
      compared += await ask(room, startMs, limit);
    }),
    { numRuns: runs, seed, endOnFailure: false },
  );
  return compared;
}
