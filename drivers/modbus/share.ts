import type { Clock } from '../../model/clock.ts';
import type { Fault } from '../../model/fault.ts';
import type { Chance } from '../../model/ids.ts';
import type { UnitState } from './unit.ts';
import { quietMs } from './wire.ts';

/** A unit that does not answer may use this part of its bus's time. */
const deadShare = 0.1;
/** So many timeouts may come at once before the share counts: one lost reply must not silence a unit. */
const burst = 2;
const mostProbeMs = 60_000;
/** Alone on its bus it harms nobody and is asked again soon. */
const aloneProbeMs = 5_000;

interface Account {
  /** Bus time it may still waste, ms. */
  creditMs: number;
  atMs: number;
}

export interface Failure {
  /** Bus time it took. */
  readonly tookMs: number;
  /** Units on the bus. */
  readonly units: number;
  readonly fault: Fault;
}

export interface Share {
  answered(unit: UnitState): void;
  failed(unit: UnitState, failure: Failure): void;
  /** Why the unit is not asked now: its breaker is open. */
  refusal(unit: UnitState): Fault | undefined;
}

/** The breaker of each unit: a dead one costs the others at most a tenth of the bus. */
export function createShare(clock: Clock, chance: Chance): Share {
  const accounts = new WeakMap<UnitState, Account>();

  const account = (unit: UnitState): Account => {
    const nowMs = clock.monotonicMs();
    const mostMs = burst * (unit.options.timeoutMs + quietMs);
    const known = accounts.get(unit) ?? { creditMs: mostMs, atMs: nowMs };
    known.creditMs = Math.min(mostMs, known.creditMs + (nowMs - known.atMs) * deadShare);
    known.atMs = nowMs;
    accounts.set(unit, known);
    return known;
  };

  return {
    answered: (unit) => {
      unit.failures = 0;
      unit.probeAtMs = 0;
    },
    failed: (unit, { tookMs, units, fault }) => {
      const costMs = tookMs + quietMs;
      const held = account(unit);
      held.creditMs -= costMs;
      unit.failures += 1;
      const nextCostMs = unit.options.timeoutMs + quietMs;
      const waitMs = Math.max(0, (nextCostMs - held.creditMs) / deadShare);
      const growingMs =
        unit.failures < burst ? 0 : Math.min(mostProbeMs, nextCostMs * 2 ** (unit.failures - burst));
      const wantedMs = units > 1 ? Math.max(waitMs, growingMs) : Math.min(growingMs, aloneProbeMs);
      if (wantedMs <= 0) return;
      unit.probeAtMs = clock.monotonicMs() + wantedMs * (1 + 0.1 * chance.fraction());
      unit.lastFault = fault;
      for (const job of unit.queue.splice(0)) job.reject(fault);
    },
    refusal: (unit) => (clock.monotonicMs() < unit.probeAtMs ? unit.lastFault : undefined),
  };
}
