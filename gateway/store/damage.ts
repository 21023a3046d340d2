/** Damaged stretches met in one pass, told as one fault. */
import { Fault } from '../../model/fault.ts';
import { causeOf } from './sqlite.ts';

export class DamageTally {
  private readonly told: (fault: Fault) => void;
  private observations = 0;
  private fromMs = Infinity;
  private toMs = -Infinity;
  private cause = '';

  constructor(told: (fault: Fault) => void) {
    this.told = told;
  }

  add(
    extent: { readonly observations: number; readonly fromMs: number; readonly toMs: number },
    error: unknown,
  ): void {
    this.observations += extent.observations;
    this.fromMs = Math.min(this.fromMs, extent.fromMs);
    this.toMs = Math.max(this.toMs, extent.toMs);
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
