import { mustRing, type Alarm, type AlarmRoute } from '../../model/alarm.ts';
import type { Cancel, Clock } from '../../model/clock.ts';
import type { AlarmId, PersonId } from '../../model/ids.ts';
import type { AlarmListener } from '../alarm/alarm-book.ts';
import type { AlarmCause, RouteCause } from '../alarm/alarm-log.ts';
import type { People, Reach } from '../people/people.ts';
import { isSoft } from '../people/quiet-hours.ts';
import type { Recipient, Recipients } from './recipients.ts';
import {
  answerable,
  move,
  notPassing,
  ringing,
  type Passing,
  type RedirectionEvent,
  type Standing,
} from './redirection.ts';
import { Sounding } from './sounding.ts';
import type { Ways } from './ways.ts';

/** A delivery without a word after this is counted on no more: two beats. */
export const confirmWithinMs = 4_000;
/** That an alarm rings nowhere is told when it is so for this long: a phone that reloads is back by then. */
const unreachedAfterMs = 1_000;
/** After a start handhelds need a moment to come back; until then they are counted on. */
const startGraceMs = 6_000;
const sweepMs = 250;
export const unreachedCondition = 'alarm-unreached';
export const testCondition = 'test';
/** Alarms of medium and low priority that one sweep looks at; high ones are looked at in each. */
const mostAtOnce = 500;

export interface RouterAlarms {
  active(): readonly Alarm[];
  onChange(listener: AlarmListener): () => void;
  /** Keeps where it has come to on the alarm and in its log. */
  route(id: AlarmId, route: AlarmRoute, cause: RouteCause): unknown;
}

export interface RouterHouse {
  readonly clock: Clock;
  readonly alarms: RouterAlarms;
  readonly people: People;
  readonly recipients: Recipients;
  readonly ways: Ways;
  /** Hands an alarm to an outlet of the chain; false: there is none of that name. */
  readonly tellOutlet: (outlet: string, alarm: Alarm) => boolean;
  /** Alarms that ring nowhere: all there are, some times a second. */
  readonly unreached: (alarms: readonly Alarm[]) => void;
}

/** One alarm on its way through the chain. */
export interface Held {
  alarm: Alarm;
  passing: Passing;
  /** Counts each time it rings anew: raised, risen, rung again, passed on. */
  readonly sounding: Sounding;
  /** Since when nobody can be counted on, monotonic ms. */
  unreachedSinceMs: number | undefined;
  storedRoute: string;
  /** Test mode: it rings at this one recipient and is never passed on. */
  readonly onlyAt: string | undefined;
}

/**
 * Who rings now, for every alarm, all from memory: each transition of an alarm, each rejection, patience and confirmed or
 * missing delivery is an event of the redirection table; what follows is done in the same tick.
 */
export class Router {
  private readonly house: RouterHouse;
  private readonly held = new Map<AlarmId, Held>();
  private readonly startedMs: number;
  private turn: AlarmId[] = [];
  private stops: Cancel[] = [];

  constructor(house: RouterHouse) {
    this.house = house;
    this.startedMs = house.clock.monotonicMs();
  }

  /** Takes up what was on its way before a restart, then every change. */
  start(): void {
    const { alarms, people, clock } = this.house;
    for (const shift of people.shifts.list({ open: true })) this.house.recipients.ofShift(shift);
    for (const alarm of alarms.active()) if (isRouted(alarm)) this.restore(alarm);
    this.stops = [
      alarms.onChange((alarm, cause, { by }) => this.changed(alarm, cause, by)),
      people.onChange((change) => {
        if (change.kind === 'shift') this.shiftsChanged();
        this.settleAll();
      }),
      clock.every(sweepMs, () => this.sweep()),
    ];
  }

  close(): void {
    for (const stop of this.stops) stop();
    this.stops = [];
  }

  /** By hand, to somebody who can ring. */
  redirect(id: AlarmId, by: PersonId, to: PersonId): 'done' | 'gone' | 'not-allowed' | 'cannot-ring' {
    const held = this.held.get(id);
    if (!held) return 'gone';
    const { signal, inactivation } = held.alarm;
    if (held.onlyAt !== undefined || signal !== 'on' || inactivation !== 'enabled') return 'not-allowed';
    const standing = this.standing(held);
    if (!this.canRing(to)) return 'cannot-ring';
    held.passing = { ...held.passing, rejectedBy: [...new Set([...held.passing.rejectedBy, by])] };
    held.sounding.again();
    this.happen(held, 'handed', 'redirected', { standing, to });
    return 'done';
  }

  /** A screen can ring, or cannot any more. */
  recipientChanged(): void {
    this.settleAll();
  }

  /** An alarm is shown by a screen that can ring. */
  shown(id: AlarmId, recipient: string): void {
    const held = this.held.get(id);
    if (!held) return;
    held.sounding.shownBy(recipient);
    this.noteReached(held, true);
  }

  /** To whom an alarm rings now. */
  ringsAt(id: AlarmId): readonly string[] {
    return this.held.get(id)?.sounding.at() ?? [];
  }

  // ---- inside ----

  private changed(alarm: Alarm, cause: AlarmCause, by?: PersonId): void {
    if (!isRouted(alarm)) return;
    const held = this.held.get(alarm.id) ?? this.take(alarm);
    const before = held.alarm;
    held.alarm = alarm;
    if (cause === 'rejected' && by !== undefined) return this.rejected(held, by);
    if (cause === 'recorded' || cause === 'routed' || cause === 'redirected') return;
    if (cause === 'passedOn' || cause === 'wholeWard') return;
    if (alarm.endedAtMs !== undefined || alarm.signal === 'off') return this.leave(held);
    const event = eventOf(alarm, cause, held.passing);
    const anew = event === 'rang' || event === 'rose';
    if (anew) held.sounding.again();
    if (event) this.happen(held, event, event === 'passOn' ? 'passedOn' : 'routed');
    else if (before.priority !== alarm.priority || !mustRing(alarm) || held.onlyAt !== undefined)
      this.ring(held, cause);
  }

  /** "I cannot go": the alarm leaves this person; when all who rang have said so it goes on at once. */
  private rejected(held: Held, by: PersonId): void {
    const resting = held.passing.state === 'resting';
    if (resting && !mustRing(held.alarm)) return;
    const rejectedBy = [...new Set([...held.passing.rejectedBy, by])];
    held.passing = { ...held.passing, rejectedBy };
    // Who had accepted it takes that back: it rested, and rings again from the next level on.
    if (resting) {
      held.sounding.again();
      return this.happen(held, 'passOn', 'passedOn');
    }
    this.settle(held, 'rejected');
    this.store(held, 'routed');
  }

  private take(alarm: Alarm): Held {
    const held: Held = {
      alarm,
      passing: notPassing,
      sounding: new Sounding(this.house, alarm.id),
      unreachedSinceMs: undefined,
      storedRoute: '',
      onlyAt: alarm.condition === testCondition ? String(alarm.details?.['recipient']) : undefined,
    };
    this.held.set(alarm.id, held);
    this.house.ways.begin(alarm);
    return held;
  }

  private restore(alarm: Alarm): void {
    const held = this.take(alarm);
    const { route } = alarm;
    if (!route) {
      if (mustRing(alarm)) this.changed(alarm, 'raised');
      return;
    }
    const nowMs = this.house.clock.monotonicMs();
    const patienceMs = this.standing(held).patienceMs;
    const leftMs = (route.untilMs ?? 0) - this.house.clock.nowMs();
    const reach = this.house.people.reach(alarm);
    const ring = mustRing(alarm);
    held.passing = {
      state: !ring ? 'resting' : route.level > reach.levels.length ? 'everybody' : 'passing',
      level: route.level,
      round: route.round,
      named: [],
      rejectedBy: route.rejectedBy,
      sinceMs: nowMs,
      // Downtime counts; a clock that went back cannot make it longer than it was.
      dueMs: ring ? nowMs + Math.max(0, Math.min(patienceMs, leftMs)) : undefined,
    };
    held.storedRoute = textOf(route);
    held.sounding.again();
    this.ring(held, 'restored');
  }

  private leave(held: Held): void {
    this.held.delete(held.alarm.id);
    held.sounding.quiet(held.alarm, 'ended');
    if (held.unreachedSinceMs !== undefined) this.tellUnreached();
  }

  private happen(
    held: Held,
    event: RedirectionEvent,
    cause: RouteCause,
    more: { standing?: Standing; to?: PersonId } = {},
  ): void {
    const standing = more.standing ?? this.standing(held);
    const next = held.onlyAt === undefined ? move(held.passing, event, standing, more.to) : held.passing;
    const moved = next !== held.passing;
    held.passing = next;
    const told = next.state === 'everybody' ? 'wholeWard' : next.level > 1 ? cause : 'routed';
    this.ring(held, moved && next.state !== 'resting' ? told : event);
    if (moved) this.store(held, cause === 'redirected' ? cause : told);
  }

  /** Looks again whether somebody of the level can answer; else it goes on at once. */
  private settle(held: Held, cause: AlarmCause): void {
    const standing = this.standing(held);
    if (held.onlyAt === undefined && !answerable(held.passing, standing))
      this.happen(held, 'passOn', 'passedOn', { standing });
    else this.ring(held, cause);
  }

  private settleAll(): void {
    for (const held of this.held.values()) if (held.passing.state !== 'resting') this.settle(held, 'routed');
  }

  /** Brings who rings into agreement with where it stands. */
  private ring(held: Held, cause: string): void {
    const { alarm, passing, onlyAt } = held;
    if (onlyAt !== undefined) {
      const only = this.house.recipients.get(onlyAt);
      held.sounding.set(alarm, { at: only && mustRing(alarm) ? [only] : [], sound: 'alarm', cause: 'test' });
      return;
    }
    if (passing.state === 'resting') return this.rest(held, cause);
    const standing = this.standing(held);
    const reach = standing.reach as Reach;
    const who = ringing(passing, alarm.priority === 'high', standing);
    const at: Recipient[] = who.persons.flatMap((person) => this.house.recipients.handheldOf(person) ?? []);
    if (who.boards) at.push(...this.house.recipients.boardsOf(reach.wards));
    const soft = isSoft(alarm.priority, reach.chain.quietHours, this.house.clock.nowMs());
    held.sounding.set(alarm, { at, sound: soft ? 'soft' : 'alarm', cause });
    for (const outlet of who.outlets) held.sounding.outlet(alarm, outlet);
    this.noteReached(
      held,
      at.some((one) => this.ringsOn(held, one)),
    );
  }

  /** Quiet; or a reminder, of a latched signal whose condition is gone and of what is switched off. */
  private rest(held: Held, cause: string): void {
    const { alarm, sounding } = held;
    this.noteReached(held, true);
    if (cause === 'reminded') {
      const first = this.house.people.reach(alarm).levels[0]?.persons ?? [];
      const at = first.flatMap((person) => this.house.recipients.handheldOf(person) ?? []);
      sounding.again();
      sounding.set(alarm, { at, sound: 'reminder', cause });
    } else if (alarm.signal === 'latched' && alarm.inactivation === 'enabled') sounding.remind(alarm, cause);
    else sounding.quiet(alarm, cause);
  }

  private noteReached(held: Held, reached: boolean): void {
    if (reached && held.unreachedSinceMs !== undefined) {
      held.unreachedSinceMs = undefined;
      this.tellUnreached();
    } else if (!reached) held.unreachedSinceMs ??= this.house.clock.monotonicMs();
  }

  private tellUnreached(): void {
    const nowMs = this.house.clock.monotonicMs();
    const lost = [...this.held.values()].filter(
      ({ alarm, unreachedSinceMs }) =>
        unreachedSinceMs !== undefined &&
        nowMs - unreachedSinceMs >= unreachedAfterMs &&
        nowMs - this.startedMs >= startGraceMs &&
        alarm.condition !== unreachedCondition,
    );
    this.house.unreached(lost.map((one) => one.alarm));
  }

  private store(held: Held, cause: RouteCause): void {
    const { alarm, passing } = held;
    const { clock, alarms } = this.house;
    const left = passing.dueMs === undefined ? undefined : passing.dueMs - clock.monotonicMs();
    const route: AlarmRoute = {
      level: passing.level,
      round: passing.round,
      sinceMs: clock.nowMs(),
      ...(left === undefined ? {} : { untilMs: clock.nowMs() + Math.round(left) }),
      to: held.sounding.persons(),
      rejectedBy: passing.rejectedBy,
    };
    if (textOf(route) === held.storedRoute || passing.state === 'resting') return;
    held.storedRoute = textOf(route);
    // After this tick, so that the log has what led here first.
    void Promise.resolve().then(() => {
      if (this.held.get(alarm.id) !== held) return;
      // Who has accepted it in the same tick came after this: it is kept, and ends nobody's acceptance.
      alarms.route(alarm.id, route, held.passing.state === 'resting' ? 'routed' : cause);
    });
  }

  private standing({ alarm, sounding }: Held): Standing {
    const { people, clock, recipients } = this.house;
    const found = people.reach(alarm);
    // That nobody was reached is told to everybody at once.
    const reach = alarm.condition === unreachedCondition ? { ...found, levels: [] } : found;
    const nowMs = clock.monotonicMs();
    return {
      reach,
      nowMs,
      patienceMs: reach.chain.patienceS[alarm.priority] * 1_000,
      alive: (person) => this.counts(sounding, person),
      boardAlive: recipients.boardsOf(reach.wards).some((board) => this.countsAt(sounding, board)),
    };
  }

  /** Whether this person can be counted on: the alarm is shown there, or may be in a moment. */
  private counts(sounding: Sounding, person: PersonId): boolean {
    const { clock, people, recipients } = this.house;
    if (clock.monotonicMs() - this.startedMs < startGraceMs)
      return people.shifts.openOf(person) !== undefined;
    return this.countsAt(sounding, recipients.handheldOf(person));
  }

  private countsAt(sounding: Sounding, recipient: Recipient | undefined): boolean {
    if (!recipient?.verdict.canRing) return false;
    const told = sounding.told(recipient.id);
    if (!told) return recipient.queue.connected;
    const { clock, recipients } = this.house;
    return told.shown || clock.monotonicMs() - Math.max(told.atMs, recipients.floorMs) < confirmWithinMs;
  }

  private ringsOn({ sounding }: Held, { id, verdict }: Recipient): boolean {
    const told = sounding.told(id);
    if (!verdict.canRing || !told) return false;
    const { clock, recipients } = this.house;
    const sinceMs = clock.monotonicMs() - Math.max(told.atMs, recipients.floorMs);
    return told.shown || sinceMs < confirmWithinMs;
  }

  private canRing(person: PersonId): boolean {
    const handheld = this.house.recipients.handheldOf(person);
    return handheld !== undefined && handheld.verdict.canRing && handheld.queue.connected;
  }

  private shiftsChanged(): void {
    const { people, recipients } = this.house;
    for (const one of [...recipients.all()]) {
      if (one.kind === 'handheld' && people.shifts.shift(one.id)?.endedAtMs !== undefined)
        recipients.forget(one.id);
    }
    for (const shift of people.shifts.list({ open: true })) recipients.ofShift(shift);
  }

  private sweep(): void {
    this.house.recipients.sweep();
    if (this.turn.length === 0) this.turn = [...this.held.keys()];
    const slice = new Set(this.turn.splice(0, mostAtOnce));
    for (const held of this.held.values()) {
      if (held.alarm.priority === 'high' || slice.has(held.alarm.id)) this.look(held);
    }
    this.tellUnreached();
  }

  private look(held: Held): void {
    const { passing } = held;
    if (passing.state === 'resting') {
      // Whatever way it came to rest: what must ring does.
      if (mustRing(held.alarm) && held.onlyAt === undefined) this.happen(held, 'rang', 'routed');
      return;
    }
    held.sounding.giveUp(confirmWithinMs);
    const over = passing.dueMs !== undefined && passing.dueMs <= this.house.clock.monotonicMs();
    if (over && held.onlyAt === undefined) {
      held.sounding.again();
      this.happen(held, 'passOn', 'passedOn');
    } else this.settle(held, 'routed');
  }
}

/** Disk, clock and parts of the gateway ring at who can mend them, not at the bedside (CLINICAL 6). */
const isRouted = ({ owner }: Alarm): boolean => owner === undefined || owner === 'nurse';

/** What a transition of the alarm means for its redirection. */
function eventOf(alarm: Alarm, cause: AlarmCause, { state }: Passing): RedirectionEvent | undefined {
  if (alarm.signal === 'latched') return state === 'resting' ? undefined : 'gone';
  if (!mustRing(alarm)) return state === 'resting' ? undefined : 'quieted';
  if (cause === 'acceptanceExpired') return 'passOn';
  if (cause === 'escalated') return 'rose';
  if (state === 'resting') return 'rang';
  return undefined;
}

const textOf = ({ level, round, to, rejectedBy, untilMs }: AlarmRoute): string =>
  `${level} ${round} ${to.join()} ${rejectedBy.join()} ${untilMs ?? ''}`;
