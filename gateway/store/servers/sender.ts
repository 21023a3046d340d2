/** Delivers journal batches to one server: two lanes, one request in flight each, behind one gate. */
import { isObservationBatch, readObservationBatch } from '../../../journal/observation-batch.ts';
import type { JournalClass, SinkBatch } from '../../../journal/types.ts';
import { pause, type Cancel, type Clock } from '../../../model/clock.ts';
import { Fault } from '../../../model/fault.ts';
import type { Chance } from '../../../model/ids.ts';
import { Gate, type GateState } from './gate.ts';
import { Points } from './points.ts';
import { settle, takeLines, type Held, type Lines, type Outcome, type RefusedStretch } from './request.ts';
import type { ServerSettings } from './settings.ts';
import type { Reply } from './transport.ts';

export interface SenderOptions {
  readonly settings: ServerSettings;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Writes lines; throws a Fault when secret or certificates cannot be read. */
  readonly post: (lines: readonly string[]) => Promise<Reply>;
  /** Secret and certificates are to be read anew. */
  readonly refresh: () => void;
  readonly delivered: (klass: JournalClass, number: number) => void;
  /** Resolves when the loss ledger holds them on disk; only then the batch is delivered. */
  readonly ledger: (refused: readonly RefusedStretch[]) => Promise<void>;
  readonly told: (fault: Fault) => void;
  /** The gate's state has changed. */
  readonly changed: () => void;
}

/** How far behind the live lane was when it delivered, over the last minute, ms. */
export interface LagFigures {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface SenderFigures {
  readonly state: GateState;
  readonly fault: Fault | undefined;
  readonly sinceMs: number | undefined;
  readonly nextTryAtMs: number | undefined;
  readonly lastSuccessAtMs: number | undefined;
  /** Observations since this sender began. */
  readonly stored: number;
  readonly refused: number;
  /** Of a kind this server does not hold. */
  readonly leftOut: number;
  readonly liveLagMs: LagFigures;
}

export class Sender {
  readonly gate: Gate;
  private readonly options: SenderOptions;
  private readonly points: Points;
  private readonly lanes: Readonly<Record<SinkBatch['lane'], Lane>>;
  private readonly lag: Lag;
  private lastSuccessAtMs: number | undefined;
  private stored = 0;
  private refused = 0;
  private leftOut = 0;

  constructor(options: SenderOptions) {
    const { settings, clock, chance } = options;
    this.options = options;
    this.points = new Points({
      measurement: settings.measurement,
      as: settings.kind === 'victoriametrics' ? 'numbers' : 'texts',
    });
    this.lag = new Lag(clock);
    this.gate = new Gate({
      sink: settings.id,
      clock,
      chance,
      retryMaxMs: settings.retryMaxMs,
      probeMs: settings.probeMs,
      changed: options.changed,
    });
    const lane = (gatherMs: number): Lane =>
      new Lane({
        clock,
        gatherMs,
        requestLines: settings.requestLines,
        deliver: (queue, lines) => this.deliver(queue, lines),
      });
    this.lanes = { live: lane(settings.gatherMs), backlog: lane(0) };
  }

  /** Takes a batch; it is confirmed by `delivered` when the server, or the loss ledger, has all of it. */
  take(batch: SinkBatch): void {
    const { klass, number, facts, lane } = batch;
    const points = this.read(batch);
    if (!points || points.observations === 0) return this.options.delivered(klass, number);
    this.lanes[lane].push({ klass, number, facts, points, next: 0 });
  }

  /** Forgets what it holds: the journal will hand it over again. */
  drop(): void {
    for (const lane of Object.values(this.lanes)) lane.drop();
  }

  figures(): SenderFigures {
    const { gate } = this;
    const waiting = this.lanes.live.oldestAtMs;
    return {
      state: gate.state,
      fault: gate.fault,
      sinceMs: gate.sinceMs,
      nextTryAtMs: gate.nextTryAtMs,
      lastSuccessAtMs: this.lastSuccessAtMs,
      stored: this.stored,
      refused: this.refused,
      leftOut: this.leftOut,
      liveLagMs: this.lag.figures(waiting),
    };
  }

  close(): void {
    this.drop();
    this.gate.close();
  }

  /** A body that cannot be read would come again for ever: it is told and passed by; the journal still has it. */
  private read({ klass, number, body }: SinkBatch): Held['points'] | undefined {
    if (!isObservationBatch(body)) return undefined;
    try {
      return this.points.of(readObservationBatch(body));
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
      const { id } = this.options.settings;
      this.options.told(new Fault('SINK_BODY', { sink: id, klass, number, cause: error.message }));
      return undefined;
    }
  }

  /** Sends what is at the front of the queue until it is settled, or the lane is dropped. */
  private async deliver(lane: Lane, queue: readonly Held[]): Promise<void> {
    const { generation } = lane;
    const request = takeLines(queue, lane.mostLines);
    for (;;) {
      await this.gate.open();
      if (lane === this.lanes.backlog) await this.liveFirst();
      if (lane.generation !== generation) return;
      const outcome = request.lines.length === 0 ? nothing : await this.attempt(lane, request);
      if (lane.generation !== generation) return;
      if (outcome.kind === 'interrupted') {
        this.gate.shut(outcome.why);
        continue;
      }
      if (request.lines.length > 0) this.gate.passed();
      if (outcome.refused.length > 0) await this.options.ledger(outcome.refused);
      if (lane.generation !== generation) return;
      this.count(request, outcome.refused);
      return this.confirm(lane, queue);
    }
  }

  /** A server at its limit takes what is live first; the backlog still gets a request in now and then. */
  private async liveFirst(): Promise<void> {
    const { clock } = this.options;
    const { live } = this.lanes;
    const untilMs = clock.monotonicMs() + longestYieldMs;
    while (clock.nowMs() - (live.oldestAtMs ?? Infinity) > liveBehindMs && clock.monotonicMs() < untilMs)
      await pause(clock, yieldMs);
  }

  private async attempt(lane: Lane, request: Lines): Promise<Outcome> {
    if (this.gate.state === 'paused') this.options.refresh();
    try {
      return await settle(request, {
        post: this.options.post,
        nowMs: () => this.options.clock.nowMs(),
        control: () => this.controlLine(),
        tooLarge: (lines) => (lane.mostLines = Math.max(1, Math.min(lane.mostLines, lines))),
      });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const cause = String(error.details['cause']);
      return { kind: 'interrupted', why: { kind: 'pause', code: error.code, cause } };
    }
  }

  private confirm(lane: Lane, queue: readonly Held[]): void {
    for (let held = queue[0]; held && held.next >= held.points.observations; held = queue[0]) {
      lane.shift();
      if (lane === this.lanes.live) this.lag.note(held.facts.firstAtMs);
      this.options.delivered(held.klass, held.number);
    }
    lane.grow();
  }

  private count({ lines, leftOut }: Lines, refused: readonly RefusedStretch[]): void {
    const lost = refused.reduce((sum, { observations }) => sum + observations, 0);
    this.stored += lines.length - lost;
    this.refused += lost;
    this.leftOut += leftOut;
    this.lastSuccessAtMs = this.options.clock.nowMs();
    const [first] = refused;
    if (!first) return;
    const details = { sink: this.options.settings.id, count: lost, cause: first.cause };
    this.options.told(new Fault('SINK_LINES_REFUSED', details));
  }

  private controlLine(): string {
    const { id, kind, measurement } = this.options.settings;
    return controlLine({ id, kind, measurement }, this.options.clock.nowMs());
  }
}

/** The live lane being behind by this holds the backlog back, for so long at most. */
const liveBehindMs = 500;
const longestYieldMs = 2_000;
const yieldMs = 20;

const nothing: Outcome = { kind: 'settled', refused: [] };

/** One point a minute at most: written to see whether a server takes anything at all. */
export function controlLine(
  { id, kind, measurement }: Pick<ServerSettings, 'id' | 'kind' | 'measurement'>,
  nowMs: number,
): string {
  const minuteMs = Math.floor(nowMs / 60_000) * 60_000;
  return `${measurement}_probe,sink=${id} ok=1 ${minuteMs}${kind === 'victoriametrics' ? '' : '000000'}`;
}

interface LaneOptions {
  readonly clock: Clock;
  readonly gatherMs: number;
  readonly requestLines: number;
  readonly deliver: (lane: Lane, queue: readonly Held[]) => Promise<void>;
}

/** After a request that was too large, every later one may be longer by this. */
const growLines = 50;

class Lane {
  mostLines: number;
  generation = 0;
  private readonly options: LaneOptions;
  private queue: Held[] = [];
  private waiting = 0;
  private busy = false;
  private timer: Cancel | undefined;

  constructor(options: LaneOptions) {
    this.options = options;
    this.mostLines = options.requestLines;
  }

  /** Receipt of the oldest observation in it. */
  get oldestAtMs(): number | undefined {
    return this.queue[0]?.facts.firstAtMs;
  }

  push(held: Held): void {
    this.queue.push(held);
    this.waiting += held.points.observations;
    this.begin();
  }

  /** The first batch is settled. */
  shift(): void {
    this.waiting -= this.queue.shift()?.points.observations ?? 0;
  }

  drop(): void {
    this.generation++;
    this.queue = [];
    this.waiting = 0;
    this.busy = false;
    this.timer?.();
    this.timer = undefined;
  }

  grow(): void {
    this.mostLines = Math.min(this.options.requestLines, this.mostLines + growLines);
  }

  /** At once when there is a whole request, else when it has been gathered for. */
  private begin(): void {
    const { clock, gatherMs } = this.options;
    if (this.busy || this.queue.length === 0) return;
    if (this.waiting >= this.mostLines || gatherMs === 0) void this.work();
    else this.timer ??= clock.after(gatherMs, () => void this.work());
  }

  private async work(): Promise<void> {
    this.timer?.();
    this.timer = undefined;
    this.busy = true;
    const { generation } = this;
    await this.options.deliver(this, this.queue);
    if (this.generation !== generation) return;
    this.busy = false;
    this.begin();
  }
}

const lagWindowMs = 60_000;
const mostLags = 4_096;

class Lag {
  private readonly clock: Clock;
  private seen: { readonly atMs: number; readonly lagMs: number }[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
  }

  note(receivedAtMs: number): void {
    this.seen.push({ atMs: this.clock.monotonicMs(), lagMs: Math.max(0, this.clock.nowMs() - receivedAtMs) });
    if (this.seen.length > 2 * mostLags) this.seen = this.seen.slice(-mostLags);
  }

  /** What waits now counts with its age. */
  figures(oldestWaitingAtMs: number | undefined): LagFigures {
    const sinceMs = this.clock.monotonicMs() - lagWindowMs;
    const lags = this.seen.filter(({ atMs }) => atMs >= sinceMs).map(({ lagMs }) => lagMs);
    if (oldestWaitingAtMs !== undefined) lags.push(Math.max(0, this.clock.nowMs() - oldestWaitingAtMs));
    lags.sort((a, b) => a - b);
    const at = (share: number): number =>
      lags[Math.min(lags.length - 1, Math.floor(lags.length * share))] ?? 0;
    return { p50: at(0.5), p99: at(0.99), max: at(1) };
  }
}
