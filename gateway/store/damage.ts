/** Damaged stretches met in one pass, told as one fault; each only once a start. */
import { Fault } from '../../model/fault.ts';
import { causeOf } from './sqlite.ts';

/** Remembered at most; then a stretch may be told again. */
const mostKnown = 100_000;

export interface Damaged {
  /** What is damaged, as `chunk 12`. */
  readonly what: string;
  readonly observations: number;
  readonly fromMs: number;
  readonly toMs: number;
}

export class DamageTally {
  private readonly told: (fault: Fault) => void;
  private readonly known: Set<string>;
  private observations = 0;
  private fromMs = Infinity;
  private toMs = -Infinity;
  private cause = '';

  /** `known` outlives the pass. */
  constructor(known: Set<string>, told: (fault: Fault) => void) {
    this.known = known;
    this.told = told;
  }

  add({ what, observations, fromMs, toMs }: Damaged, error: unknown): void {
    if (this.known.has(what)) return;
    if (this.known.size >= mostKnown) this.known.clear();
    this.known.add(what);
    this.observations += observations;
    this.fromMs = Math.min(this.fromMs, fromMs);
    this.toMs = Math.max(this.toMs, toMs);
    this.cause = causeOf(error);
  }

  tell(): void {
    if (this.observations === 0) return;
    const { observations, fromMs, toMs, cause } = this;
    this.observations = 0;
    this.fromMs = Infinity;
    this.toMs = -Infinity;
    this.told(new Fault('STORE_CORRUPT', { observations, fromMs, toMs, cause }));
  }
}

/** What a fault of the store says is lost: lines for the loss ledger. A stretch is told, and entered, once. */
export function storeLosses({ code, details }: Fault) {
  if (code !== 'STORE_CORRUPT') return [];
  const { observations, fromMs, toMs } = details as { observations: number; fromMs: number; toMs: number };
  return [{ device: '*', metric: '*', fromMs, toMs, observations, why: 'store-corrupt' as const }];
}
