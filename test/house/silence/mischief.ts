import type { Alarm } from '../../../model/alarm.ts';
import type { Chance } from '../../../model/ids.ts';
import type { Person } from '../../../model/person.ts';
import type { Act, Oracle } from './oracle.ts';
import type { Patient } from './patient.ts';
import { quantityOf } from './patient.ts';
import type { Screen } from './screen.ts';
import type { Ward } from './ward.ts';

export interface Tools {
  readonly ward: Ward;
  readonly oracle: Oracle;
  readonly chance: Chance;
  readonly patients: readonly Patient[];
  readonly tell: (text: string, bed?: string) => void;
}

/** Everything that goes wrong with screens, disks and the gateway, and all that people do, from one seed. */
export class Mischief {
  /** Alarms whose measurement a person ended, or that a person cleared. */
  readonly endedByPerson = new Set<string>();
  restarts = 0;
  acts = 0;
  deaths = 0;
  private readonly tools: Tools;
  private readonly later: { atMs: number; run: () => void }[] = [];
  private nextRestartMs: number;
  private readonly people: readonly Person[];

  constructor(tools: Tools) {
    this.tools = tools;
    this.people = [...tools.ward.nurses, tools.ward.charge];
    this.nextRestartMs = tools.ward.clock.nowMs() + this.ms(600, 7_200);
  }

  /** Before each second. True when the gateway was killed and is there again. */
  async stir(): Promise<boolean> {
    const { ward } = this.tools;
    const nowMs = ward.clock.nowMs();
    const due = this.later.filter((one) => one.atMs <= nowMs);
    for (const one of due) {
      this.later.splice(this.later.indexOf(one), 1);
      one.run();
    }
    for (const screen of ward.screens.values()) if (this.happens(0.001)) this.spoil(screen);
    if (this.happens(0.0002)) this.fillDisk();
    if (this.happens(0.001)) this.coverOrHandOver();
    if (this.happens(0.0003)) this.signOff();
    if (nowMs < this.nextRestartMs) return false;
    await this.kill();
    return true;
  }

  /** After each second: nurses who hear something may do something. */
  answer(): void {
    const { ward } = this.tools;
    for (const person of this.people) {
      const screen = ward.screens.get(person.id);
      if (!screen?.able) continue;
      for (const id of screen.ringing.keys()) {
        if (!this.happens(0.015)) continue;
        const alarm = ward.alarms.alarm(id);
        if (alarm && alarm.endedAtMs === undefined) this.act(person, alarm);
      }
    }
    if (this.happens(0.05)) this.afterwards();
  }

  private act(person: Person, alarm: Alarm): void {
    const { alarms } = this.tools.ward;
    const draw = this.tools.chance.fraction();
    if (draw < 0.3) this.done('acknowledge', alarm, person, alarms.acknowledge(alarm.id, person));
    else if (draw < 0.55) this.accept(person, alarm);
    else if (draw < 0.75) this.done('reject', alarm, person, alarms.reject(alarm.id, person));
    else if (draw < 0.85) {
      const forMs = this.ms(20, 120);
      this.done('pauseAudio', alarm, person, alarms.pauseAudio(alarm.id, person, { forMs }));
    } else if (draw < 0.9) {
      const said = { forMs: this.ms(60, 600), reason: 'washing' };
      this.done('pauseAlarm', alarm, person, alarms.pauseAlarm(alarm.id, person, said));
    } else if (draw < 0.91) {
      const said = { what: 'audio', reason: 'artefact' } as const;
      this.done('off', alarm, person, alarms.switchOff(alarm.id, person, said));
    } else this.handOn(person, alarm);
  }

  /** "I go": comes and acknowledges, or never comes, or takes it back. */
  private accept(person: Person, alarm: Alarm): void {
    const { ward } = this.tools;
    this.done('accept', alarm, person, ward.alarms.accept(alarm.id, person));
    const draw = this.tools.chance.fraction();
    if (draw < 0.3)
      this.in(this.ms(5, 80), () =>
        this.done('acknowledge', alarm, person, ward.alarms.acknowledge(alarm.id, person)),
      );
    else if (draw < 0.5)
      this.in(this.ms(2, 50), () => this.done('back', alarm, person, ward.alarms.reject(alarm.id, person)));
  }

  private handOn(person: Person, alarm: Alarm): void {
    const to = this.one(this.people);
    const outcome = this.tools.ward.deliveries.redirect(person, alarm.id, to.id);
    this.done('back', alarm, person, outcome, `redirect to ${to.id}`);
  }

  private afterwards(): void {
    const { ward, patients } = this.tools;
    const active = ward.alarms.active().filter((one) => one.kind === 'physiological');
    if (active.length === 0) return;
    const alarm = this.one(active);
    const person = this.one(this.people);
    if (alarm.signal === 'latched') {
      this.endedByPerson.add(alarm.id);
      this.done('clear', alarm, person, ward.alarms.clear(alarm.id, person));
    } else if (alarm.inactivation === 'acknowledged' && this.happens(0.8)) {
      // Also who has heard it is quiet may say "I go".
      this.done('accept', alarm, person, ward.alarms.accept(alarm.id, person));
    } else if (alarm.inactivation !== 'enabled')
      this.done('resume', alarm, person, ward.alarms.resume(alarm.id, person));
    else if (alarm.presence === 'sourceLost') {
      const patient = patients.find((one) => one.bed === alarm.bed);
      const quantity = quantityOf(alarm);
      if (!patient || patient.voicesOf(quantity).length > 0) return;
      this.endedByPerson.add(alarm.id);
      const outcome = ward.alarms.endMeasurement(alarm.id, person, 'probe off');
      this.done('measurement ended', alarm, person, outcome);
      if (outcome === 'done') patient.measurementEnded(quantity);
    }
  }

  private done(
    act: Act | 'reject' | 'clear' | 'measurement ended',
    alarm: Alarm,
    person: Person,
    outcome: string,
    more = '',
  ): void {
    const { tell, oracle, ward } = this.tools;
    tell(`${person.id}: ${act} ${more} ${alarm.id} ${quantityOf(alarm)}: ${outcome}`, alarm.bed);
    if (outcome !== 'done') return;
    this.acts += 1;
    const quiets = act !== 'clear' && act !== 'measurement ended' && alarm.kind === 'physiological';
    if (quiets) oracle.did(act === 'reject' ? 'back' : act, alarm, ward.clock.nowMs());
  }

  private spoil(screen: Screen): void {
    const { tell, ward } = this.tools;
    if (!screen.powered || !screen.reachable) return;
    const draw = this.tools.chance.fraction();
    const say = (what: string): void => tell(`${screen.person}: ${what}`);
    if (draw < 0.15) {
      say('battery empty');
      this.unannounced(screen, () => screen.die());
      this.in(this.ms(30, 1_800), () => {
        screen.powered = true;
        screen.connect();
        say('charged');
      });
    } else if (draw < 0.3) {
      say('frozen');
      this.unannounced(screen, () => screen.freeze());
      this.in(this.ms(3, 300), () => {
        screen.thaw();
        say('thawed');
      });
    } else if (draw < 0.45) {
      say('out of reach');
      this.unannounced(screen, () => (screen.reachable = false));
      this.in(this.ms(1, 120), () => {
        screen.connect();
        say('in reach again');
      });
    } else if (draw < 0.6) {
      say('disconnected');
      screen.cut();
      this.in(this.ms(1, 60), () => {
        screen.connect();
        say('connected');
      });
    } else if (draw < 0.75) {
      say('reloaded');
      this.unannounced(screen, () => screen.reload());
      this.in(this.ms(1, 3), () => screen.connect());
      this.in(this.ms(4, 60), () => {
        screen.audio = true;
        screen.beat();
        say('touched');
      });
    } else if (draw < 0.9) {
      say('hidden');
      screen.visible = false;
      screen.beat();
      this.in(this.ms(2, 600), () => {
        screen.visible = true;
        screen.beat();
        say('visible');
      });
    } else {
      say('sound lost');
      screen.audio = false;
      screen.beat();
      this.in(this.ms(2, 600), () => {
        screen.audio = true;
        screen.beat();
        say('sound back');
      });
    }
    if (screen.kind === 'handheld' && ward.screens.get(screen.person) !== screen) say('retired');
  }

  private unannounced(screen: Screen, happen: () => void): void {
    this.deaths += 1;
    this.tools.oracle.died(screen, this.tools.ward.clock.nowMs());
    happen();
  }

  private fillDisk(): void {
    const { ward, tell } = this.tools;
    if (ward.diskFull) return;
    ward.setDiskFull(true);
    tell('disk full');
    this.in(this.ms(30, 600), () => {
      ward.setDiskFull(false);
      tell('disk has room');
    });
  }

  private coverOrHandOver(): void {
    const { ward, tell } = this.tools;
    const from = this.one(this.people);
    const to = this.one(ward.nurses);
    const draw = this.tools.chance.fraction();
    const { covers, assignments } = ward.people;
    if (draw < 0.4) {
      const cover = covers.ask(from, { ward: 'icu', to: to.id, minutes: 1 + Math.floor(draw * 100) });
      if (typeof cover !== 'string' && this.happens(0.8)) covers.accept(to, cover.id);
      tell(`${to.id} covers for ${from.id}`);
    } else if (draw < 0.5) {
      for (const cover of covers.list({ open: true })) covers.end({ id: cover.from }, cover.id);
    } else {
      const bed = `bed-${1 + Math.floor(this.tools.chance.fraction() * ward.beds)}`;
      if (assignments.of(bed).length === 0 && this.happens(0.9)) return;
      assignments.take(to, { id: bed, ward: 'icu' }, { relieve: draw < 0.8 });
      tell(`${to.id} takes it`, bed);
    }
  }

  /** Goes home or to lunch; the beds stay hers until somebody takes them. */
  private signOff(): void {
    const { ward, tell } = this.tools;
    const person = this.one(this.people);
    if (!ward.screens.has(person.id)) return;
    ward.signOff(person);
    tell(`${person.id} signs off`);
    this.in(this.ms(60, 3_600), () => {
      ward.signOn(person);
      tell(`${person.id} signs on`);
    });
  }

  private async kill(): Promise<void> {
    const { ward, oracle, patients, tell, chance } = this.tools;
    const lossy = ward.diskFull;
    tell(`gateway killed${lossy ? ' with the disk full' : ''}`);
    await ward.restart(this.ms(1, 5), chance);
    for (const patient of patients) patient.restarted(lossy);
    oracle.restarted(ward.clock.nowMs(), lossy);
    tell('gateway started');
    this.restarts += 1;
    this.nextRestartMs = ward.clock.nowMs() + this.ms(20, 10_800);
  }

  private in(ms: number, run: () => void): void {
    this.later.push({ atMs: this.tools.ward.clock.nowMs() + ms, run });
  }

  private ms(fromS: number, toS: number): number {
    return Math.round(fromS + this.tools.chance.fraction() * (toS - fromS)) * 1_000;
  }

  private happens(odds: number): boolean {
    return this.tools.chance.fraction() < odds;
  }

  private one<T>(of: readonly T[]): T {
    const found = of[Math.floor(this.tools.chance.fraction() * of.length)];
    if (found === undefined) throw new Error('nothing to choose from');
    return found;
  }
}
