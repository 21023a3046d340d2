import type { Duplex } from 'node:stream';
import { pause, type Cancel, type Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import type { Chance } from '../../model/ids.ts';
import { createBackoff } from '../transport/backoff.ts';
import {
  encodeRtu,
  encodeTcp,
  exceptionName,
  mismatch,
  type Framing,
  type ReadRequest,
  type Reply,
} from './frame.ts';
import { createFramer } from './framer.ts';
import { createShare } from './share.ts';
import {
  createUnit,
  noteLate,
  proofFor,
  quietMs,
  type Job,
  type Proof,
  type Reading,
  type Unanswered,
  type UnitOptions,
  type UnitState,
} from './unit.ts';

export interface BusOptions {
  readonly address: string;
  readonly framing: Framing;
  readonly clock: Clock;
  readonly chance: Chance;
  /** At least this long between the end of one frame and the next request (3.5 characters on a serial line). */
  readonly gapMs: number;
  connect(): Promise<Duplex>;
}

export interface BusUnit {
  /** One block of registers or bits. Rejects with a Fault; always settles. */
  read(ask: Omit<ReadRequest, 'unit'>): Promise<Reading>;
  /** A block held the canary's place and not its value: nothing is believed before a proof. */
  distrust(): void;
  leave(): void;
}

export interface Bus {
  join(options: UnitOptions): BusUnit;
  close(): Promise<void>;
}

interface Asked {
  readonly unit: UnitState;
  readonly request: ReadRequest;
  readonly transaction: number | undefined;
  readonly proof: Proof | undefined;
  readonly sentAtMs: number;
  settle(outcome: Reply | Fault): void;
}

interface Missed {
  readonly unit: UnitState;
  readonly request: ReadRequest;
  readonly transaction: number | undefined;
  readonly fault: Fault;
  readonly tookMs: number;
}

const mostUnanswered = 16;
/** A line that never falls quiet, or never answers anybody, is opened anew. */
const mostNoiseMs = 1_000;
const deadExchanges = 5;
/** A timeout so soon after a late reply is lateness, not absence. */
const lateMemoryMs = 60_000;

/**
 * The one scheduler of one physical bus: a single request in flight, units in turn. RTU replies carry no address, so a
 * reply that comes after its timeout fits the next question too; therefore a unit that missed an answer is left alone
 * until its late reply has come or can no longer come, and is believed again only after a proof (unit.ts).
 */
export function createBus(options: BusOptions): Bus {
  const { clock, framing } = options;
  const units = new Map<number, UnitState>();
  const share = createShare(clock, options.chance);
  const framer = createFramer(framing);
  const backoff = createBackoff({ firstMs: 500, mostMs: 10_000, chance: options.chance });
  let order: UnitState[] = [];
  let stream: Duplex | undefined;
  let asked: Asked | undefined;
  let transaction = 0;
  let busy = false;
  let closed = false;
  let lastByteMs = 0;
  let retryAtMs = 0;
  let connectFault: Fault | undefined;
  let unansweredInARow = 0;
  let cancelWake: Cancel = () => {};

  const wake = (): void => {
    if (busy || closed) return;
    busy = true;
    void serveAll();
  };

  async function serveAll(): Promise<void> {
    for (let unit = nextUnit(); unit; unit = nextUnit()) {
      const job = unit.queue.shift();
      if (job) await serve(unit, job);
    }
    busy = false;
  }

  /** In turn, so that no unit waits for more than one exchange of each other one. */
  function nextUnit(): UnitState | undefined {
    const nowMs = clock.monotonicMs();
    const waiting = order.filter((unit) => unit.queue.length > 0);
    const ready = waiting.find((unit) => unit.notBeforeMs <= nowMs);
    if (closed) return undefined;
    if (ready) {
      order = [...order.filter((unit) => unit !== ready), ready];
      return ready;
    }
    if (waiting.length > 0) {
      cancelWake();
      cancelWake = clock.after(Math.min(...waiting.map((unit) => unit.notBeforeMs)) - nowMs, wake);
    }
    return undefined;
  }

  async function serve(unit: UnitState, job: Job): Promise<void> {
    try {
      await connected();
      if (unit.proving) await believeAgain(unit);
      const sentAtMs = clock.monotonicMs();
      const request = { ...job.request, unit: unit.options.unit };
      const reply = await exchange(unit, request, undefined);
      const atMs = clock.nowMs();
      if (reply.exception !== undefined) throw exceptionFault(unit, reply.exception);
      if (sentAtMs < unit.guardUntilMs) await verify(unit, request, sentAtMs);
      if (sentAtMs >= unit.guardUntilMs) unit.doubtful = false;
      job.resolve({ data: reply.data ?? Buffer.alloc(0), atMs, doubtful: unit.doubtful });
    } catch (error) {
      job.reject(error instanceof Fault ? error : brokenFault(error));
    }
  }

  /**
   * The proof before the first value after a missing answer. Where that answer never came within the bound it may come
   * yet: for one bound more each value is verified behind itself, and in doubt unless a canary vouches for it.
   */
  async function believeAgain(unit: UnitState): Promise<void> {
    const open = unit.unanswered.length > 0 || unit.doubtful;
    await prove(unit, unit.unanswered);
    unit.proving = false;
    unit.unanswered = [];
    unit.doubtful = open && !unit.options.canary;
    const { timeoutMs, lateBoundMs } = unit.options;
    if (open) unit.guardUntilMs = clock.monotonicMs() + timeoutMs + lateBoundMs;
  }

  /** Devices answer in order: had the reply been an older one, its own would come before the proof's. */
  async function verify(unit: UnitState, request: ReadRequest, sentAtMs: number): Promise<void> {
    await prove(unit, [{ request, transaction: undefined, boundMs: 0 }]);
    if ((unit.lateAtMs ?? -1) >= sentAtMs) throw new Fault('MODBUS_LATE', { unit: unit.options.unit });
  }

  async function prove(unit: UnitState, unlike: readonly Unanswered[]): Promise<void> {
    for (let attempt = 0; attempt < 2; attempt++) {
      const proof = proofFor(unit, unlike, attempt);
      const reply = await exchange(unit, proof.request, proof);
      if (reply.exception === undefined || !unit.options.canary) return;
    }
    throw new Fault('MODBUS_MISMATCH', {
      unit: unit.options.unit,
      cause: 'the canary register cannot be read',
    });
  }

  /** One request and its own answer, or a fault. Nothing else is on the bus meanwhile. */
  async function exchange(unit: UnitState, request: ReadRequest, proof: Proof | undefined): Promise<Reply> {
    const { timeoutMs } = unit.options;
    await gap(unit);
    const wire = await connected();
    const number = framing === 'tcp' ? nextTransaction() : undefined;
    const bytes = number === undefined ? encodeRtu(request) : encodeTcp(request, number);
    const sentAtMs = clock.monotonicMs();
    const outcome = await new Promise<Reply | Fault>((resolve) => {
      const cancel = clock.after(timeoutMs, () => asked?.settle(timedOut(unit)));
      asked = {
        unit,
        request,
        transaction: number,
        proof,
        sentAtMs,
        settle: (reply) => {
          cancel();
          asked = undefined;
          resolve(reply);
        },
      };
      wire.write(bytes);
    });
    const tookMs = clock.monotonicMs() - sentAtMs;
    if (outcome instanceof Fault) {
      await missed({ unit, request, transaction: number, fault: outcome, tookMs });
      throw outcome;
    }
    unansweredInARow = 0;
    unit.options.roundTrip(tookMs);
    // A gateway that could not reach the unit has answered for it: that is the unit's failure.
    if (outcome.exception === 10 || outcome.exception === 11) {
      share.failed(unit, { tookMs, units: units.size, fault: exceptionFault(unit, outcome.exception) });
    } else share.answered(unit);
    return outcome;
  }

  const timedOut = (unit: UnitState): Fault => {
    const garbled = framer.flush();
    const { unit: id, timeoutMs: deadlineMs } = unit.options;
    if (garbled.length === 0) {
      const late = unit.lateAtMs !== undefined && clock.monotonicMs() - unit.lateAtMs < lateMemoryMs;
      if (late) return new Fault('MODBUS_LATE', { unit: id });
      return new Fault('WIRE_TIMEOUT', { address: `unit ${id}`, deadlineMs });
    }
    unit.options.badChecksum(garbled);
    return new Fault('MODBUS_CRC', { unit: id });
  };

  /** No answer of its own: the reply may still come, and must not meet the next question. */
  async function missed({ unit, request, transaction: number, fault, tookMs }: Missed): Promise<void> {
    const boundMs = clock.monotonicMs() + unit.options.lateBoundMs;
    unit.proving = true;
    unit.unanswered = [...unit.unanswered, { request, transaction: number, boundMs }].slice(-mostUnanswered);
    unit.notBeforeMs = boundMs;
    share.failed(unit, { tookMs, units: units.size, fault });
    unansweredInARow += 1;
    await quiet();
    if (unansweredInARow >= deadExchanges) {
      unansweredInARow = 0;
      stream?.destroy();
    }
  }

  async function quiet(): Promise<void> {
    const untilMs = clock.monotonicMs() + mostNoiseMs;
    for (;;) {
      const silentMs = clock.monotonicMs() - lastByteMs;
      if (silentMs >= quietMs) return;
      if (clock.monotonicMs() >= untilMs) return void stream?.destroy();
      await pause(clock, quietMs - silentMs);
    }
  }

  async function gap(unit: UnitState): Promise<void> {
    const neededMs = Math.max(options.gapMs, unit.options.pauseBetweenRequestsMs);
    const sinceMs = clock.monotonicMs() - lastByteMs;
    if (sinceMs < neededMs) await pause(clock, neededMs - sinceMs);
  }

  function nextTransaction(): number {
    transaction = transaction >= 0xffff ? 1 : transaction + 1;
    return transaction;
  }

  async function connected(): Promise<Duplex> {
    if (stream) return stream;
    if (clock.monotonicMs() < retryAtMs && connectFault) throw connectFault;
    try {
      const made = await options.connect();
      if (closed) made.destroy();
      else listen(made);
    } catch (error) {
      connectFault = error instanceof Fault ? error : brokenFault(error);
      retryAtMs = clock.monotonicMs() + backoff.next();
      throw connectFault;
    }
    backoff.reset();
    const pauseMs = Math.max(0, ...order.map((each) => each.options.pauseAfterConnectMs));
    if (pauseMs > 0) await pause(clock, pauseMs);
    if (!stream) throw wireClosed();
    return stream;
  }

  function listen(made: Duplex): void {
    stream = made;
    framer.flush();
    made.on('data', (chunk: Buffer) => received(made, chunk));
    made.on('close', () => {
      if (stream !== made) return;
      stream = undefined;
      asked?.settle(wireClosed());
    });
  }

  function received(made: Duplex, chunk: Buffer): void {
    lastByteMs = clock.monotonicMs();
    const { replies, discarded, broken } = framer.push(chunk, asked?.request);
    if (discarded.length > 0) (asked?.unit ?? order[0])?.options.discarded(discarded);
    for (const reply of replies) accept(reply);
    if (broken) made.destroy();
  }

  function accept(reply: Reply): void {
    const to = asked;
    const wrong = to ? mismatch(to.request, reply, to.transaction) : 'nobody asked';
    if (!to || wrong) return stray(reply, to, wrong ?? '');
    if (to.proof && reply.data && !to.proof.proves(reply)) return noteLate(to.unit, reply, clock);
    to.settle(reply);
  }

  /** A whole frame that answers nothing that is asked now: late, of another unit, or of another master. */
  function stray(reply: Reply, to: Asked | undefined, cause: string): void {
    const owner = units.get(reply.unit);
    if (!owner) return void (to?.unit ?? order[0])?.options.discarded(reply.raw);
    noteLate(owner, reply, clock);
    // Its own answer may still follow: behind another transaction, or behind the old replies a proof waits out.
    const final =
      to?.unit === owner && !to.proof && (framing === 'rtu' || reply.transaction === to.transaction);
    if (final) to.settle(new Fault('MODBUS_MISMATCH', { unit: reply.unit, cause }));
  }

  const exceptionFault = (unit: UnitState, exception: number): Fault =>
    new Fault('MODBUS_EXCEPTION', { unit: unit.options.unit, exception, name: exceptionName(exception) });
  const wireClosed = (): Fault => new Fault('WIRE_CLOSED', { address: options.address });
  const brokenFault = (error: unknown): Fault =>
    new Fault('DRIVER_BROKE', { driver: 'modbus', cause: String(error) }, { cause: error });

  const leave = (unit: UnitState): void => {
    if (units.get(unit.options.unit) === unit) units.delete(unit.options.unit);
    order = order.filter((each) => each !== unit);
    for (const job of unit.queue.splice(0)) job.reject(wireClosed());
  };

  return {
    join: (unitOptions) => {
      if (units.has(unitOptions.unit)) {
        const cause = `unit ${unitOptions.unit} is already read on this bus`;
        throw new Fault('DRIVER_SETTINGS', { path: '/unit', driver: 'modbus', cause });
      }
      const unit = createUnit(unitOptions);
      units.set(unitOptions.unit, unit);
      order.push(unit);
      return {
        read: (ask) =>
          new Promise<Reading>((resolve, reject) => {
            const request = { ...ask, unit: unitOptions.unit };
            if (closed || units.get(unitOptions.unit) !== unit) return reject(wireClosed());
            const open = share.refusal(unit);
            if (open) return reject(open);
            unit.queue.push({ request, resolve, reject });
            wake();
          }),
        distrust: () => {
          unit.proving = true;
          unit.doubtful = true;
        },
        leave: () => leave(unit),
      };
    },
    close: async () => {
      closed = true;
      cancelWake();
      for (const unit of [...order]) leave(unit);
      asked?.settle(wireClosed());
      stream?.destroy();
    },
  };
}
