import type { Association, Encounter, Patient } from '../../../model/census.ts';
import { beforeAdmissionMs } from '../../../model/charted.ts';
import type { Clock } from '../../../model/clock.ts';
import type { BedId, DeviceId, EncounterId } from '../../../model/ids.ts';
import type {
  BedScore,
  BedScores,
  ConfirmedScore,
  ScorePart,
  ScoreRefusal,
  ScoreSettings,
  ScoreWarning,
} from '../../../model/score.ts';
import type { LiveSeries } from '../../intake/types.ts';
import { scoreChart, type Chart, type PartValues } from './chart.ts';
import { news2, news2Parts, type Acvpu, type News2Input, type News2Part } from './news2.ts';
import { findPart, type PartAges, type PartFinder, type PartWanted, type SeriesAtBed } from './parts.ts';
import { notedEveryMs, Trails } from './trails.ts';

export interface ScoreRows {
  load(table: 'settings'): Promise<readonly { readonly id: string; readonly value: unknown }[]>;
  put(table: 'settings', row: { readonly id: string; readonly value: unknown }): Promise<unknown>;
}

export interface ScoreHouse {
  readonly clock: Clock;
  readonly rows: ScoreRows;
  readonly charts: readonly Chart[];
  readonly ages: PartAges;
  openAssociations(): readonly Association[];
  encounter(id: EncounterId): Encounter | undefined;
  patient(id: string): Patient | undefined;
  /** All series a device has sent. */
  seriesOf(device: DeviceId): Iterable<LiveSeries>;
  /** Where what people chart for a stay arrives. */
  chartedSource(encounter: EncounterId): DeviceId;
  audit(act: {
    by: string;
    act: string;
    on: string;
    outcome: string;
    before?: unknown;
    after?: unknown;
  }): void;
  /** A set was confirmed: the only thing that raises or ends a score alarm. */
  confirmed(encounter: EncounterId, score: string, set: ConfirmedScore): void;
}

/** What is kept of one stay. */
interface Kept {
  readonly settings: ScoreSettings;
  readonly confirmed: Readonly<Record<string, ConfirmedScore>>;
}

const unset: Kept = { settings: { scale: 1, spinalInjury: false }, confirmed: {} };
const rowPrefix = 'score/';
const monthMs = (365.25 / 12) * 86_400_000;
const adultFromMonths = 16 * 12;

const news2Wanted: Readonly<Record<News2Part, PartWanted>> = {
  rr: { line: 'respiration' },
  spo2: { line: 'saturation' },
  oxygen: { oxygen: true },
  sys: { line: 'systolic' },
  pulse: { line: 'heart-rate' },
  acvpu: { code: 'acvpu' },
  temp: { line: 'temperature' },
};

/** The scores of every bed, as they stand now (CLINICAL 10). Running figures are provisional; a nurse confirms a set. */
export class LiveScores {
  private readonly house: ScoreHouse;
  private readonly trails = new Trails();
  private readonly kept = new Map<EncounterId, Kept>();
  private readonly stop: () => void;

  constructor(house: ScoreHouse) {
    this.house = house;
    this.stop = house.clock.every(notedEveryMs, () => this.note());
  }

  async load(): Promise<void> {
    for (const { id, value } of await this.house.rows.load('settings'))
      if (id.startsWith(rowPrefix)) this.kept.set(id.slice(rowPrefix.length), value as Kept);
  }

  close(): void {
    this.stop();
  }

  /** Undefined: nobody is associated with a device at this bed. */
  at(bed: BedId): BedScores {
    const { clock, charts } = this.house;
    const nowMs = clock.nowMs();
    const open = this.house.openAssociations().filter((one) => one.bed === bed);
    const encounter = open.find((one) => one.encounter !== undefined)?.encounter;
    const stay = encounter === undefined ? undefined : this.house.encounter(encounter);
    const patient = stay && this.house.patient(stay.patient);
    const { settings, confirmed } = (encounter === undefined ? undefined : this.kept.get(encounter)) ?? unset;
    const finder = { all: this.seriesAt(open, encounter), trails: this.trails, ages: this.house.ages, nowMs };
    const who = { stay, ageMonths: ageInMonths(patient?.birthDate, nowMs), settings };
    const fitting = charts.filter((chart) => fits(chart, who));
    const scores = [this.news2(finder, who), ...fitting.map((chart) => this.chart(chart, finder, who))];
    return {
      bed,
      ...(encounter === undefined ? {} : { encounter }),
      nowMs,
      settings,
      scores: scores.map((one) => ({
        ...one,
        ...(confirmed[one.score] === undefined ? {} : { confirmed: confirmed[one.score] }),
      })),
    };
  }

  /** A nurse confirms the set she saw; `changed` when it is another one by now. */
  async confirm(
    by: { readonly id: string },
    bed: BedId,
    seen: {
      readonly score: string;
      readonly total: number;
      readonly parts: Readonly<Record<string, number>>;
    },
  ): Promise<ConfirmedScore | 'absent' | 'incomplete' | 'score-refused' | 'changed'> {
    const { encounter, nowMs, scores } = this.at(bed);
    const score = scores.find((one) => one.score === seen.score);
    if (!score || encounter === undefined) return 'absent';
    if (score.refused !== undefined) return 'score-refused';
    const { total, parts, scale } = score;
    if (total === null) return 'incomplete';
    const points = Object.fromEntries(parts.map((part) => [part.part, part.points ?? 0]));
    const same = Object.keys(points).every((part) => points[part] === seen.parts[part]);
    if (total !== seen.total || !same) return 'changed';
    const set = { total, parts: points, ...(scale === undefined ? {} : { scale }), atMs: nowMs, by: by.id };
    const before = this.kept.get(encounter) ?? unset;
    await this.keep(encounter, { ...before, confirmed: { ...before.confirmed, [seen.score]: set } });
    this.house.audit({ by: by.id, act: 'score.confirm', on: encounter, outcome: 'done', after: { ...seen } });
    this.house.confirmed(encounter, seen.score, set);
    return set;
  }

  /** Scale 2 is set by a physician, never inferred; who, why and when are kept. */
  async set(
    by: { readonly id: string },
    encounter: EncounterId,
    wish: { readonly scale?: 1 | 2; readonly spinalInjury?: boolean },
    reason: string,
  ): Promise<ScoreSettings | 'absent'> {
    if (!this.house.encounter(encounter)) return 'absent';
    const before = this.kept.get(encounter) ?? unset;
    const { scale = before.settings.scale, spinalInjury = before.settings.spinalInjury } = wish;
    const settings = { scale, spinalInjury, setBy: by.id, setAtMs: this.house.clock.nowMs(), reason };
    await this.keep(encounter, { ...before, settings });
    this.house.audit({
      by: by.id,
      act: 'score.settings',
      on: encounter,
      outcome: 'done',
      before: before.settings,
      after: settings,
    });
    return settings;
  }

  private async keep(encounter: EncounterId, kept: Kept): Promise<void> {
    const before = this.kept.get(encounter);
    this.kept.set(encounter, kept);
    try {
      await this.house.rows.put('settings', { id: `${rowPrefix}${encounter}`, value: kept });
    } catch (fault) {
      if (before) this.kept.set(encounter, before);
      else this.kept.delete(encounter);
      throw fault;
    }
  }

  private news2(finder: PartFinder, who: Who): BedScore {
    const parts = news2Parts.map((part) => findPart(part, news2Wanted[part], finder));
    const known = Object.fromEntries(parts.map((one) => [one.part, valueIn(one)]));
    const { acvpu, oxygen, ...numbers } = known;
    const input = {
      ...numbers,
      ...(isAcvpu(acvpu) ? { acvpu } : {}),
      ...(oxygen === undefined ? {} : { oxygen: oxygen === 'oxygen' }),
    } as News2Input;
    const { scale } = who.settings;
    const { total, parts: points } = news2(input, scale);
    const refused = news2Refusal(who);
    return {
      score: 'news2',
      chart: 'news2',
      title: { en: 'National Early Warning Score 2', zh: '国家早期预警评分2' },
      provisional: true,
      ...told(parts, points, refused === undefined ? total : null),
      ...(refused === undefined ? {} : { refused }),
      warnings: warningsOf(finder, who),
      scale,
    };
  }

  private chart(chart: Chart, finder: PartFinder, who: Who): BedScore {
    const parts = chart.parts.map((part) => findPart(part.id, wantedBy(part), finder));
    const values: PartValues = Object.fromEntries(parts.map((one) => [one.part, valueIn(one)]));
    const { total, parts: points } = scoreChart(chart, values);
    const { score, id, title, example } = chart;
    const warnings = warningsOf(finder, who);
    return {
      score,
      chart: id,
      title,
      provisional: true,
      ...told(parts, points, total),
      warnings: example ? [...warnings, 'example-chart'] : warnings,
    };
  }

  /** What the devices of the bed and people say of this patient. */
  private seriesAt(open: readonly Association[], encounter: EncounterId | undefined): SeriesAtBed[] {
    const { house } = this;
    const own = open.flatMap(({ device, beginAtMs }) =>
      [...house.seriesOf(device)].map((series) => ({ series, sinceMs: beginAtMs })),
    );
    if (encounter === undefined) return own;
    const charted = house.chartedSource(encounter);
    const admittedAtMs = house.encounter(encounter)?.admittedAtMs ?? -Infinity;
    const sinceMs = admittedAtMs - beforeAdmissionMs;
    return [...own, ...[...house.seriesOf(charted)].map((series) => ({ series, sinceMs }))];
  }

  private note(): void {
    const present = new Set<LiveSeries>();
    for (const { device } of this.house.openAssociations()) {
      for (const series of this.house.seriesOf(device)) {
        if (series.metric?.value !== 'number' || series.metric.episodic) continue;
        present.add(series);
        this.trails.note(series);
      }
    }
    this.trails.keepOnly(present);
  }
}

interface Who {
  readonly stay: Encounter | undefined;
  readonly ageMonths: number | undefined;
  readonly settings: ScoreSettings;
}

function told(parts: readonly ScorePart[], points: Readonly<Record<string, number>>, total: number | null) {
  return {
    total,
    parts: parts.map((part) => {
      const scored = part.state === 'known' ? points[part.part] : undefined;
      return scored === undefined ? part : { ...part, points: scored };
    }),
    missing: parts.filter((part) => part.state === 'missing').map(({ part }) => part),
    old: parts.filter((part) => part.state === 'old').map(({ part }) => part),
  };
}

const valueIn = ({ state, value, code }: ScorePart): number | string | undefined =>
  state === 'known' ? (value ?? code) : undefined;

const isAcvpu = (code: unknown): code is Acvpu => typeof code === 'string' && /^[ACVPU]$/.test(code);

const wantedBy = (part: Chart['parts'][number]): PartWanted =>
  'oxygen' in part ? { oxygen: true } : 'codes' in part ? { code: part.metric } : { line: part.line };

/** Never under 16 and never in pregnancy (CLINICAL 10). */
function news2Refusal({ stay, ageMonths }: Who): ScoreRefusal | undefined {
  const profile = stay?.profile ?? 'adult';
  if (profile === 'obstetric') return 'pregnancy';
  if (ageMonths === undefined ? profile !== 'adult' : ageMonths < adultFromMonths) return 'under-16';
  return undefined;
}

function fits(chart: Chart, { stay, ageMonths }: Who): boolean {
  if (!chart.profiles.includes(stay?.profile ?? 'adult')) return false;
  if (chart.fromMonths === undefined && chart.toMonths === undefined) return true;
  if (ageMonths === undefined) return false;
  return ageMonths >= (chart.fromMonths ?? 0) && ageMonths < (chart.toMonths ?? Infinity);
}

function warningsOf({ all }: PartFinder, { ageMonths, settings }: Who): ScoreWarning[] {
  const breathing = new Set(['vent-rate', 'tidal-volume', 'minute-volume', 'peep', 'airway-pressure']);
  const ventilated = all.some(({ series }) => breathing.has(series.metric?.quantity ?? ''));
  return [
    ...(ageMonths === undefined ? (['age-unknown'] as const) : []),
    ...(settings.spinalInjury ? (['spinal-injury'] as const) : []),
    ...(ventilated ? (['ventilated'] as const) : []),
  ];
}

function ageInMonths(birthDate: string | undefined, nowMs: number): number | undefined {
  const bornMs = birthDate === undefined ? NaN : Date.parse(birthDate);
  return Number.isNaN(bornMs) || bornMs > nowMs ? undefined : (nowMs - bornMs) / monthMs;
}
