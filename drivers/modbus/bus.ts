import type { Cancel } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import { createExchange, exceptionFault } from './exchange.ts';
import type { ReadRequest } from './frame.ts';
import { createShare } from './share.ts';
import {
  createUnit,
  proofFor,
  type Job,
  type Reading,
  type Unanswered,
  type UnitOptions,
  type UnitState,
} from './unit.ts';
import type { WireOptions } from './wire.ts';

export type BusOptions = WireOptions;

export interface BusUnit {
  /** One block of registers or bits. Rejects with a Fault; always settles. */
  read(ask: Omit<ReadRequest, 'unit'>): Promise<Reading>;
  /** A block held the canary's place and not its value: nothing is believed before a proof. */
  distrust(): void;
  leave(): void;
}

export interface Bus {
  /** A unit may be joined again while it is read (a test of a running device): both are served in turn. */
  join(options: UnitOptions): BusUnit;
  close(): Promise<void>;
}

/**
 * The one scheduler of one physical bus: a single request in flight, units in turn. RTU replies carry no address, so a
 * reply that comes after its timeout fits the next question too; therefore a unit that missed an answer is left alone
 * until its late reply has come or can no longer come, and is believed again only after a proof (unit.ts).
 */
export function createBus(options: BusOptions): Bus {
  const { clock } = options;
  const units = new Map<number, UnitState>();
  const share = createShare(clock, options.chance);
  const exchange = createExchange({ ...options, share, units });
  let order: UnitState[] = [];
  let busy = false;
  let closed = false;
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
    if (closed) return undefined;
    const nowMs = clock.monotonicMs();
    const waiting = order.filter((unit) => unit.queue.length > 0);
    const ready = waiting.find((unit) => unit.notBeforeMs <= nowMs);
    if (ready) {
      order = [...order.filter((unit) => unit !== ready), ready];
      return ready;
    }
    cancelWake();
    const nextMs = Math.min(...waiting.map((unit) => unit.notBeforeMs));
    if (waiting.length > 0) cancelWake = clock.after(nextMs - nowMs, wake);
    return undefined;
  }

  async function serve(unit: UnitState, job: Job): Promise<void> {
    try {
      if (unit.proving) await believeAgain(unit);
      const sentAtMs = clock.monotonicMs();
      const request = { ...job.request, unit: unit.options.unit };
      const reply = await exchange.ask(unit, request);
      const atMs = clock.nowMs();
      if (reply.exception !== undefined) throw exceptionFault(unit, reply.exception);
      if (sentAtMs < unit.guardUntilMs) await verify(unit, request, sentAtMs);
      else unit.doubtful = false;
      job.resolve({ data: reply.data ?? Buffer.alloc(0), atMs, doubtful: unit.doubtful });
    } catch (error) {
      const cause = String(error);
      job.reject(error instanceof Fault ? error : new Fault('DRIVER_BROKE', { driver: 'modbus', cause }));
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
      const reply = await exchange.ask(unit, proof.request, proof);
      if (reply.exception === undefined || !unit.options.canary) return;
    }
    const cause = 'the canary register cannot be read';
    throw new Fault('MODBUS_MISMATCH', { unit: unit.options.unit, cause });
  }

  const gone = (): Fault => new Fault('WIRE_CLOSED', { address: options.address });

  const remove = (unit: UnitState): void => {
    if (units.get(unit.options.unit) === unit) units.delete(unit.options.unit);
    order = order.filter((each) => each !== unit);
    for (const job of unit.queue.splice(0)) job.reject(gone());
  };

  const unitFor = (unitOptions: UnitOptions): UnitState => {
    const known = units.get(unitOptions.unit);
    if (known) return known;
    const made = createUnit(unitOptions);
    units.set(unitOptions.unit, made);
    order.push(made);
    return made;
  };

  return {
    join: (unitOptions) => {
      const unit = unitFor(unitOptions);
      let left = false;
      unit.users += 1;
      return {
        read: (ask) =>
          new Promise<Reading>((resolve, reject) => {
            if (closed || left) return reject(gone());
            const refusal = share.refusal(unit);
            if (refusal) return reject(refusal);
            unit.queue.push({ request: { ...ask, unit: unitOptions.unit }, resolve, reject });
            wake();
          }),
        distrust: () => {
          unit.proving = true;
          unit.doubtful = true;
        },
        leave: () => {
          if (left) return;
          left = true;
          unit.users -= 1;
          if (unit.users === 0) remove(unit);
        },
      };
    },
    close: async () => {
      closed = true;
      cancelWake();
      for (const unit of order) remove(unit);
      exchange.abandon(gone());
      exchange.wire.close();
    },
  };
}
