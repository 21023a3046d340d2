import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '../model/clock.ts';
import type { Entry, Keeper } from './keeper.ts';
import { Pace } from './pace.ts';
import { add, endOf, has, memberFrom, none } from './ranges.ts';
import type { BodyFacts, JournalClass, Ranges, SinkBatch, SinkSpec } from './types.ts';

/** Younger than this goes in the live lane (CLINICAL 9). */
const liveMs = 60_000;

/**
 * Feeds one sink. `twoLane`: what is young goes in the live lane in order, straight from memory when the window has
 * room; what missed it is the backlog, oldest first, at the sink's pace, and never takes more than half the window.
 * `ordered`: strictly by number within a class; what is old in it keeps the pace too. A batch is handed over once a joining; not confirmed, it comes again at the next.
 */
export class SinkLane {
  readonly spec: SinkSpec;
  readonly port: MessagePort;
  private readonly keeper: Keeper;
  private readonly clock: Clock;
  private readonly flight = new Map<string, { readonly bytes: number; readonly lane: 'live' | 'backlog' }>();
  private readonly sent: Partial<Record<JournalClass, Ranges>> = {};
  /** First number of the live lane not yet looked at; below it is the backlog. */
  private readonly liveNext: Partial<Record<JournalClass, number>> = {};
  private flightBytes = 0;
  private backlogInFlight = 0;
  private backlogBytes = 0;
  private readonly pace: Pace;

  constructor(keeper: Keeper, spec: SinkSpec, port: MessagePort, clock: Clock) {
    this.keeper = keeper;
    this.spec = spec;
    this.port = port;
    this.clock = clock;
    this.pace = new Pace(spec.backlogPerS, clock);
    for (const klass of spec.classes) this.liveNext[klass] = this.firstYoung(klass);
  }

  get hasRoom(): boolean {
    return this.flight.size < this.spec.window.batches && this.flightBytes < this.spec.window.bytes;
  }

  /** Whether a batch just kept may be handed over from memory: it is the next in its lane and there is room. */
  wants(klass: JournalClass, { number, length, facts }: Entry): boolean {
    if (!this.spec.classes.includes(klass) || !this.fits(length)) return false;
    if (this.isDone(klass, number)) return false;
    if (this.spec.kind === 'ordered') return this.nextOf(klass, number + 1) === number;
    return this.liveNext[klass] === number && facts.lastAtMs >= this.clock.nowMs() - liveMs;
  }

  /** Hands a body over; it is transferred and gone from this thread. */
  hand(
    klass: JournalClass,
    number: number,
    body: Uint8Array,
    how: { lane: 'live' | 'backlog'; facts: BodyFacts },
  ): void {
    const batch: SinkBatch = { kind: 'batch', klass, number, lane: how.lane, body, facts: how.facts };
    this.flight.set(`${klass} ${number}`, { bytes: body.length, lane: how.lane });
    this.flightBytes += body.length;
    if (how.lane === 'backlog') {
      this.backlogInFlight++;
      this.backlogBytes += body.length;
    }
    if (this.isOld(how.facts)) this.pace.spend(how.facts.observations);
    this.sent[klass] = add(this.sent[klass] ?? none, number, number + 1);
    if (this.liveNext[klass] === number) this.liveNext[klass] = number + 1;
    this.port.postMessage(batch, [body.buffer as ArrayBuffer]);
  }

  taken(klass: JournalClass, number: number): void {
    const key = `${klass} ${number}`;
    const held = this.flight.get(key);
    if (!held) return;
    this.flight.delete(key);
    this.flightBytes -= held.bytes;
    if (held.lane !== 'backlog') return;
    this.backlogInFlight--;
    this.backlogBytes -= held.bytes;
  }

  /** What is delivered was taken too. */
  delivered(klass: JournalClass, ranges: Ranges): void {
    for (const key of this.flight.keys()) {
      const [word, number] = key.split(' ');
      if (word === klass && has(ranges, Number(number))) this.taken(klass, Number(number));
    }
  }

  /** Hands over from disk while there is room. */
  pump(): void {
    while (this.hasRoom && (this.pumpLive() || this.pumpBacklog()));
  }

  private pumpLive(): boolean {
    if (this.spec.kind === 'ordered') return false;
    return this.spec.classes.some((klass) => {
      const number = this.nextLive(klass);
      return number !== undefined && this.fromDisk(klass, number, 'live');
    });
  }

  private pumpBacklog(): boolean {
    const { kind, window } = this.spec;
    if (kind === 'twoLane' && this.backlogInFlight > 0) {
      // What comes live finds room at once, whatever the backlog holds.
      if (this.backlogInFlight >= Math.max(1, window.batches >> 1)) return false;
      if (this.backlogBytes >= window.bytes >> 1) return false;
    }
    return this.spec.classes.some((klass) => {
      const number = this.nextOf(
        klass,
        this.spec.kind === 'ordered' ? Infinity : (this.liveNext[klass] ?? 0),
      );
      return number !== undefined && this.fromDisk(klass, number, 'backlog');
    });
  }

  /** True when something moved: a batch was handed over, or a damaged one was passed by. */
  private fromDisk(klass: JournalClass, number: number, lane: 'live' | 'backlog'): boolean {
    const entry = this.keeper.entry(klass, number);
    if (entry && !this.fits(entry.length)) return false;
    if (entry && this.isOld(entry.facts) && !this.pace.mayGo) return false;
    const read = this.keeper.read(klass, number);
    if (read === 'later') return false;
    if (read) this.hand(klass, number, read.body, { lane, facts: read.facts });
    return true;
  }

  /** The next young number of the live lane; what grew old waiting is left to the backlog. */
  private nextLive(klass: JournalClass): number | undefined {
    const present = this.keeper.present[klass];
    const oldestMs = this.clock.nowMs() - liveMs;
    for (;;) {
      const number = memberFrom(present, this.liveNext[klass] ?? 0);
      if (number === undefined) return undefined;
      const young = (this.keeper.entry(klass, number)?.facts.lastAtMs ?? 0) >= oldestMs;
      if (young && !this.isDone(klass, number)) return number;
      this.liveNext[klass] = number + 1;
    }
  }

  /** The smallest number below `end` that is there and neither delivered nor handed over. */
  private nextOf(klass: JournalClass, end: number): number | undefined {
    const present = this.keeper.present[klass];
    const delivered = this.keeper.book.delivered(this.spec.id, klass);
    const sent = this.sent[klass] ?? none;
    for (let number = memberFrom(present, 0); number !== undefined && number < end;) {
      const done = Math.max(endOf(delivered, number), endOf(sent, number));
      if (done === number) return number;
      number = memberFrom(present, done);
    }
    return undefined;
  }

  private isDone(klass: JournalClass, number: number): boolean {
    const delivered = this.keeper.book.delivered(this.spec.id, klass);
    return has(delivered, number) || has(this.sent[klass] ?? none, number);
  }

  private isOld(facts: BodyFacts): boolean {
    return facts.lastAtMs < this.clock.nowMs() - liveMs;
  }

  /** One batch may always be in flight, however large. */
  private fits(length: number): boolean {
    const { batches, bytes } = this.spec.window;
    return this.flight.size === 0 || (this.flight.size < batches && this.flightBytes + length <= bytes);
  }

  /** Where the live lane begins at joining: the first number of the young ones at the end. */
  private firstYoung(klass: JournalClass): number {
    const oldestMs = this.clock.nowMs() - liveMs;
    let number = this.keeper.next[klass];
    while (number > 0 && (this.keeper.entry(klass, number - 1)?.facts.lastAtMs ?? 0) >= oldestMs) number--;
    return number;
  }
}
