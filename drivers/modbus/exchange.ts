import { Fault } from '../../model/fault.ts';
import { encodeRtu, encodeTcp, exceptionName, mismatch, type ReadRequest, type Reply } from './frame.ts';
import type { Share } from './share.ts';
import { noteLate, type Proof, type UnitState } from './unit.ts';
import { createWire, type BusWire, type WireOptions } from './wire.ts';

export interface ExchangeOptions extends WireOptions {
  readonly share: Share;
  /** The bus's units by id, and any of them for what belongs to none. */
  readonly units: ReadonlyMap<number, UnitState>;
}

export interface Exchange {
  readonly wire: BusWire;
  /** One request and its own answer, or a Fault. Nothing else may be asked meanwhile. */
  ask(unit: UnitState, request: ReadRequest, proof?: Proof): Promise<Reply>;
  /** Ends what is in flight. */
  abandon(fault: Fault): void;
}

interface Asked {
  readonly unit: UnitState;
  readonly request: ReadRequest;
  readonly transaction: number | undefined;
  readonly proof: Proof | undefined;
  settle(outcome: Reply | Fault): void;
}

const mostUnanswered = 16;
/** A connection on which nobody answers any more is opened anew. */
const deadExchanges = 5;
/** A timeout so soon after a late reply is lateness, not absence. */
const lateMemoryMs = 60_000;

export const exceptionFault = ({ options: { unit } }: UnitState, exception: number): Fault =>
  new Fault('MODBUS_EXCEPTION', { unit, exception, name: exceptionName(exception) });

/** Question and answer on a bus: what comes is the answer, a late one, or noise. */
export function createExchange(options: ExchangeOptions): Exchange {
  const { clock, framing, share, units } = options;
  let asked: Asked | undefined;
  let transaction = 0;
  let unansweredInARow = 0;

  const wire = createWire(options, {
    expected: () => asked?.request,
    replied,
    discarded: (bytes) => somebody()?.options.discarded(bytes),
    cut: (fault) => asked?.settle(fault),
  });
  /** Noise is told to the unit being asked, or to the bus's first. */
  const somebody = (): UnitState | undefined => asked?.unit ?? [...units.values()][0];

  function replied(reply: Reply): void {
    const to = asked;
    const wrong = to ? mismatch(to.request, reply, to.transaction) : 'nobody asked';
    if (!to || wrong) return stray(reply, to, wrong ?? '');
    if (to.proof && reply.data && !to.proof.proves(reply)) return noteLate(to.unit, reply, clock);
    to.settle(reply);
  }

  /** A whole frame that answers nothing that is asked now: late, of another unit, or of another master. */
  function stray(reply: Reply, to: Asked | undefined, cause: string): void {
    const owner = units.get(reply.unit);
    if (!owner) return somebody()?.options.discarded(reply.raw);
    noteLate(owner, reply, clock);
    // Its own answer may still follow: behind another transaction, or behind the old replies a proof waits out.
    const final =
      to?.unit === owner && !to.proof && (framing === 'rtu' || reply.transaction === to.transaction);
    if (final) to.settle(new Fault('MODBUS_MISMATCH', { unit: reply.unit, cause }));
  }

  function nextTransaction(): number {
    transaction = transaction >= 0xffff ? 1 : transaction + 1;
    return transaction;
  }

  function timedOut(unit: UnitState): Fault {
    const torn = wire.flush();
    const { unit: id, timeoutMs: deadlineMs } = unit.options;
    if (torn.length > 0) {
      unit.options.badChecksum(torn);
      // Half a TCP frame leaves no way to find where the next begins.
      if (framing === 'tcp') wire.drop();
      return new Fault('MODBUS_CRC', { unit: id });
    }
    const late = unit.lateAtMs !== undefined && clock.monotonicMs() - unit.lateAtMs < lateMemoryMs;
    if (late) return new Fault('MODBUS_LATE', { unit: id });
    return new Fault('WIRE_TIMEOUT', { address: `unit ${id}`, deadlineMs });
  }

  /** No answer of its own: the reply may still come, and must not meet the next question. */
  async function missed(
    missing: Omit<Asked, 'settle' | 'proof'>,
    fault: Fault,
    tookMs: number,
  ): Promise<void> {
    const { unit, request } = missing;
    const boundMs = clock.monotonicMs() + unit.options.lateBoundMs;
    const unanswered = { request, transaction: missing.transaction, boundMs };
    unit.proving = true;
    unit.unanswered = [...unit.unanswered, unanswered].slice(-mostUnanswered);
    // A cut TCP connection takes its late replies with it; a serial line behind a device server may keep them.
    const cut = fault.code === 'WIRE_CLOSED';
    if (!cut || framing === 'rtu') unit.notBeforeMs = boundMs;
    if (cut) return;
    share.failed(unit, { tookMs, units: units.size, fault });
    unansweredInARow += 1;
    await wire.quiet();
    if (unansweredInARow < deadExchanges) return;
    unansweredInARow = 0;
    wire.drop();
  }

  return {
    wire,
    abandon: (fault) => asked?.settle(fault),
    ask: async (unit, request, proof) => {
      const { timeoutMs, pauseBetweenRequestsMs, pauseAfterConnectMs } = unit.options;
      await wire.gap(pauseBetweenRequestsMs);
      await wire.ready(pauseAfterConnectMs);
      const number = framing === 'tcp' ? nextTransaction() : undefined;
      const bytes = number === undefined ? encodeRtu(request) : encodeTcp(request, number);
      const sentAtMs = clock.monotonicMs();
      const outcome = await new Promise<Reply | Fault>((resolve) => {
        const cancel = clock.after(timeoutMs, () => asked?.settle(timedOut(unit)));
        const settle = (reply: Reply | Fault): void => {
          cancel();
          asked = undefined;
          resolve(reply);
        };
        asked = { unit, request, transaction: number, proof, settle };
        wire.write(bytes);
      });
      const tookMs = clock.monotonicMs() - sentAtMs;
      if (outcome instanceof Fault) {
        await missed({ unit, request, transaction: number }, outcome, tookMs);
        throw outcome;
      }
      unansweredInARow = 0;
      unit.options.roundTrip(tookMs);
      // A gateway that could not reach the unit has answered for it: that is the unit's failure.
      if (outcome.exception === 10 || outcome.exception === 11) {
        share.failed(unit, { tookMs, units: units.size, fault: exceptionFault(unit, outcome.exception) });
      } else share.answered(unit);
      return outcome;
    },
  };
}
