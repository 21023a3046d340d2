import { mustRing } from '../../model/alarm.ts';
import { seededChance } from '../../simulators/chance.ts';
import { openWard, SPO2 } from './alarm-house.ts';
import { chain, nursing, personOf, type Handheld, type NursingHouse } from './nursing-house.ts';

/** What went wrong in a virtual ward: at which second of which seed, and what. */
export interface Silence {
  readonly seed: number;
  readonly atS: number;
  readonly says: string;
}
export interface SilentWard {
  readonly seed: number;
  readonly beds: number;
  readonly minutes: number;
}

/** A high alarm may be silent so long after it must ring; and so long where the handheld in charge died unannounced. */
const withinMs = 1_000;
const afterDeathMs = 6_000;
/** When no screen can ring at all, it must be told: two beats missed, and a moment. */
const toldWithinMs = 7_000;

/**
 * A ward with mischief: patients fall and recover, phones are hidden, freeze, die and come back, nurses accept, reject,
 * acknowledge, pause, take beds and go on break. Each second asks whether every high alarm that must ring is heard
 * somewhere, as long as any handheld or board of the ward can ring at all.
 */
export async function silentSeconds({ seed, beds, minutes }: SilentWard): Promise<Silence | undefined> {
  const chance = seededChance(seed);
  const ward = await openWard(beds);
  const house = await nursing(ward);
  const names = ['anna', 'bela', 'cleo', 'dan'];
  for (let at = 0; at < names.length; at++) {
    const own = Array.from({ length: beds }, (_, bed) => bed).filter((bed) => bed % names.length === at);
    house.on(
      names[at] ?? '',
      own.map((bed) => `bed-${bed + 1}`),
      at === 2 ? ['charge-nurse'] : ['nurse'],
    );
  }
  const board = house.board();
  await chain(house, [[{ assigned: true }], [{ role: 'charge-nurse' }]]);
  const falls = Array.from({ length: beds }, () => 0);
  const watch = new Watch(house, board);
  for (let second = 0; second < minutes * 60; second++) {
    for (let bed = 0; bed < beds; bed++) {
      if ((falls[bed] ?? 0) === 0 && chance.fraction() < 0.002)
        falls[bed] = 15 + Math.floor(chance.fraction() * 240);
      falls[bed] = Math.max(0, (falls[bed] ?? 0) - 1);
      ward.say(`mon-${bed + 1}`, { [SPO2]: (falls[bed] ?? 0) > 0 ? 80 : 97 });
    }
    if (chance.fraction() < 0.1) mischief(house, chance.fraction, board, watch);
    for (let quarter = 0; quarter < 4; quarter++) {
      await house.clock.pass(250);
      const says = watch.look();
      if (says !== undefined) return { seed, atS: second, says };
    }
  }
  return undefined;
}

/** One thing that people and phones do. */
function mischief(house: NursingHouse, fraction: () => number, board: Handheld, watch: Watch): void {
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(fraction() * list.length)];
  const name = pick(['anna', 'bela', 'cleo', 'dan']) ?? 'anna';
  const phone = house.handheld(name);
  const by = personOf(name, name === 'cleo' ? ['charge-nurse'] : ['nurse']);
  const alarm = pick(house.ward.alarms.active());
  const { alarms } = house.ward;
  const acts: readonly (() => void)[] = [
    () => phone.hide(),
    () => {
      phone.visible = phone.wakeLock = phone.audio = true;
      phone.beat();
    },
    () => {
      phone.audio = false;
      phone.beat();
    },
    () => {
      phone.frozen = true;
      watch.died();
    },
    () => {
      phone.die();
      watch.died();
    },
    () => {
      phone.frozen = false;
      phone.connect();
    },
    () => {
      board.audio = !board.audio;
      board.beat();
    },
    () => alarm && alarms.accept(alarm.id, by),
    () => alarm && alarms.reject(alarm.id, by),
    () => alarm && alarms.acknowledge(alarm.id, by),
    () => alarm && alarms.pauseAudio(alarm.id, by, { forMs: 30_000 }),
    () => alarm && house.deliveries.redirect(by, alarm.id, pick(['anna', 'bela', 'cleo', 'dan']) ?? ''),
    () => {
      const bed = pick(house.ward.census.beds('icu'));
      if (bed) house.people.assignments.take(by, bed, { relieve: fraction() < 0.5 });
    },
    () => {
      const to = pick(['anna', 'bela', 'cleo', 'dan']) ?? '';
      const asked = house.people.covers.ask(by, { ward: 'icu', to, minutes: 10 });
      if (typeof asked !== 'string') house.people.covers.accept(personOf(to), asked.id);
    },
  ];
  pick(acts)?.();
}

/** Since when each high alarm is silent that must ring. */
class Watch {
  private readonly house: NursingHouse;
  private readonly board: Handheld;
  private readonly silentSinceMs = new Map<string, number>();
  private readonly unheardSinceMs = new Map<string, number>();
  private diedAtMs = -Infinity;

  constructor(house: NursingHouse, board: Handheld) {
    this.house = house;
    this.board = board;
  }

  died(): void {
    this.diedAtMs = this.house.clock.monotonicMs();
  }

  look(): string | undefined {
    const nowMs = this.house.clock.monotonicMs();
    const screens = [...this.house.handhelds.values()];
    const able = screens.filter((one) => this.isAble(one));
    for (const alarm of this.house.ward.alarms.active()) {
      const must = alarm.priority === 'high' && alarm.kind === 'physiological' && mustRing(alarm);
      const rings = able.some((one) => one.latest.get(alarm.id)?.sound === 'alarm');
      const says = !must || rings ? this.heard(alarm.id) : this.silent(alarm.id, able.length > 0, nowMs);
      if (says !== undefined) return says;
    }
    return undefined;
  }

  private heard(id: string): undefined {
    this.silentSinceMs.delete(id);
    this.unheardSinceMs.delete(id);
  }

  private silent(id: string, able: boolean, nowMs: number): string | undefined {
    const since = (map: Map<string, number>): number => {
      const known = map.get(id) ?? nowMs;
      map.set(id, known);
      return nowMs - known;
    };
    if (!able) {
      this.silentSinceMs.delete(id);
      const told = this.house.ward.present().includes('alarm-unreached');
      if (!told && since(this.unheardSinceMs) > toldWithinMs)
        return `${id} is heard by nobody, and nobody is told`;
      return undefined;
    }
    this.unheardSinceMs.delete(id);
    const most = nowMs - this.diedAtMs < 2 * afterDeathMs ? afterDeathMs : withinMs;
    const silentMs = since(this.silentSinceMs);
    return silentMs > most ? `${id} is silent for ${silentMs} ms though ${this.ables()} can ring` : undefined;
  }

  private ables(): string {
    return [...this.house.handhelds.values()]
      .filter((one) => this.isAble(one))
      .map((one) => one.id)
      .join(', ');
  }

  private isAble(one: Handheld): boolean {
    return one.isOn && one.visible && one.audio && (one.wakeLock || one === this.board);
  }
}
