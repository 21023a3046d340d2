import { chanceFor } from '../../../simulators/chance.ts';
import type { Alarm } from '../../../model/alarm.ts';
import { Mischief } from './mischief.ts';
import { Oracle, type Silence } from './oracle.ts';
import { Patient, quantityOf } from './patient.ts';
import { Ward } from './ward.ts';

export interface WardDay {
  readonly seed: number;
  readonly beds: number;
  readonly seconds: number;
}
export interface WardDayFigures {
  readonly raised: number;
  readonly stretches: number;
  readonly highS: number;
  readonly quietS: number;
  readonly nobodyCouldS: number;
  readonly excusedS: number;
  readonly silentMostMs: number;
  readonly restarts: number;
  readonly deaths: number;
  readonly acts: number;
}

/** Lines kept of what happened, and how far back a failure tells them. */
const storyLines = 4_000;
const storyMs = 240_000;
/** By then an alarm has a delivery, or a technical alarm says that it has none. */
const deliveredWithinMs = 8_000;

/** One virtual day of a ward under mischief. Throws, with seed and story, at the first second that breaks a rule. */
export async function liveWardDay({ seed, beds, seconds }: WardDay): Promise<WardDayFigures> {
  const ward = await Ward.open(beds, seed);
  const patients = Array.from(
    { length: beds },
    (_, at) => new Patient(at + 1, chanceFor(seed, `patient ${at + 1}`)),
  );
  const oracle = new Oracle();
  const story = new Story(ward);
  const mischief = new Mischief({
    ward,
    oracle,
    patients,
    chance: chanceFor(seed, 'mischief'),
    tell: (text, bed) => story.tell(text, bed),
  });
  const checks = new Checks(ward, patients, mischief);
  let raised = 0;
  try {
    for (let second = 0; second < seconds; second++) {
      if (await mischief.stir()) checks.restarted();
      for (const patient of patients) patient.live(ward.speaking);
      await ward.clock.pass(1_000);
      for (const { alarm, cause } of ward.speaking.told) {
        if (cause === 'raised' && alarm.kind === 'physiological') raised += 1;
        if (cause !== 'recorded')
          story.tell(`${alarm.id} ${alarm.condition} ${alarm.priority} ${cause}`, alarm.bed);
      }
      const broken = [...oracle.look(sight(ward, patients)).map(inWords), ...(await checks.broken())];
      ward.speaking.told.length = 0;
      const [first] = broken;
      if (first)
        throw new Error(`seed ${seed}, second ${second}: ${first.text}\n${story.of(first.bed, patients)}`);
      mischief.answer();
    }
  } finally {
    ward.close();
  }
  const { restarts, deaths, acts } = mischief;
  return { raised, stretches: oracle.stretches, ...oracle.figures, restarts, deaths, acts };
}

const sight = (ward: Ward, patients: readonly Patient[]): Parameters<Oracle['look']>[0] => ({
  nowMs: ward.clock.nowMs(),
  patients,
  get alarms() {
    return ward.alarms.active();
  },
  screens: [...ward.screens.values()],
  inCharge: (bed, alarm) => ward.inCharge(bed, alarm),
});

interface Broken {
  readonly text: string;
  readonly bed: string | undefined;
}

const inWords = ({ bed, quantity, silentMs, alarm }: Silence): Broken => ({
  bed,
  text: `${bed}: ${quantity} is high and has been silent for ${silentMs / 1_000} s: ${
    alarm ? JSON.stringify(alarm) : 'no alarm'
  }`,
});

/** The other rules, of every alarm. */
class Checks {
  private readonly ward: Ward;
  private readonly patients: ReadonlyMap<string, Patient>;
  private readonly mischief: Mischief;
  private young: Alarm[] = [];

  constructor(ward: Ward, patients: readonly Patient[], mischief: Mischief) {
    this.ward = ward;
    this.patients = new Map(patients.map((patient) => [patient.bed, patient]));
    this.mischief = mischief;
  }

  restarted(): void {
    this.young = [];
  }

  async broken(): Promise<Broken[]> {
    const found: Broken[] = [];
    for (const { alarm, cause } of this.ward.speaking.told) {
      if (alarm.kind !== 'physiological') continue;
      if (cause === 'raised') {
        this.young.push(alarm);
        found.push(...this.twice(alarm));
      }
      if (cause === 'ended' || cause === 'cleared') found.push(...this.endedTooSoon(alarm, cause));
    }
    return [...found, ...(await this.undelivered())];
  }

  /** Never more than one alarm per patient, quantity and direction. */
  private twice(alarm: Alarm): Broken[] {
    const same = this.ward.alarms
      .active({ bed: alarm.bed ?? '' })
      .filter((one) => one.kind === 'physiological' && quantityOf(one) === quantityOf(alarm));
    return same.length > 1 ? [{ bed: alarm.bed, text: `two alarms: ${JSON.stringify(same)}` }] : [];
  }

  /** Only when presence is false and nothing is latched, or by a person. */
  private endedTooSoon(alarm: Alarm, cause: 'ended' | 'cleared'): Broken[] {
    if (this.mischief.endedByPerson.has(alarm.id)) return [];
    const patient = this.patients.get(alarm.bed ?? '');
    const present = patient?.present(quantityOf(alarm)) === true;
    if (!present && !(alarm.latching && cause === 'ended')) return [];
    return [
      { bed: alarm.bed, text: `ended while ${present ? 'present' : 'latched'}: ${JSON.stringify(alarm)}` },
    ];
  }

  /** No alarm without a delivery, or a technical alarm about it. */
  private async undelivered(): Promise<Broken[]> {
    const nowMs = this.ward.clock.nowMs();
    const found: Broken[] = [];
    while (this.young[0] && nowMs - this.young[0].raisedAtMs >= deliveredWithinMs) {
      const alarm = this.young.shift();
      if (!alarm) break;
      const now = this.ward.alarms.alarm(alarm.id);
      const way = await this.ward.deliveries.way(alarm.id);
      const under = way?.deliveries.some((one) => one.delivery !== 'failed' && one.delivery !== 'queued');
      const told = this.ward.alarms.technical.presentOf('alarm-unreached').length > 0;
      const rings = now?.endedAtMs === undefined && now?.inactivation === 'enabled';
      if (!under && !told && rings)
        found.push({ bed: alarm.bed, text: `no delivery: ${JSON.stringify(way)}` });
    }
    return found;
  }
}

/** What happened, for whoever must understand a failure. */
class Story {
  private readonly ward: Ward;
  private lines: { atMs: number; bed: string | undefined; text: string }[] = [];

  constructor(ward: Ward) {
    this.ward = ward;
  }

  tell(text: string, bed?: string): void {
    this.lines.push({ atMs: this.ward.clock.nowMs(), bed, text });
    if (this.lines.length > 2 * storyLines) this.lines = this.lines.slice(-storyLines);
  }

  of(bed: string | undefined, patients: readonly Patient[]): string {
    const nowMs = this.ward.clock.nowMs();
    const near = this.lines.filter(
      (line) => nowMs - line.atMs <= storyMs && (line.bed === undefined || line.bed === bed),
    );
    const lines = near.map(({ atMs, text }) => `  ${((atMs - nowMs) / 1_000).toFixed(0)} s ${text}`);
    const patient = patients.find((one) => one.bed === bed);
    const screens = [...this.ward.screens.values()].map(
      (one) =>
        `${one.person}${one.able ? ' able' : ''}${one.ringing.size > 0 ? ` rings ${one.ringing.size}` : ''}`,
    );
    const held = this.ward.people.assignments.of(bed ?? '').map((one) => one.person);
    return [
      ...lines,
      `  patient ${patient?.says}`,
      `  bed of ${held.join()}`,
      `  ${screens.join(', ')}`,
    ].join('\n');
  }
}
