import type { Historian } from '../store/types.ts';
import type { ObservationQuery, ObservationsOptions } from './types.ts';
import type { ReadPlan } from './windows.ts';

export type Store = Pick<Historian, 'range' | 'aggregate'>;

export interface FiguresOptions extends ObservationsOptions {
  readonly plan: (query: ObservationQuery) => Promise<ReadPlan>;
  readonly storeOf: (own: boolean) => Store;
  /** From this instant on the historian answers. */
  readonly ownMs: (fromMs: number) => number;
}

/** An aligned instant with the stretch whose values stand for it. */
export interface Step {
  readonly atMs: number;
  readonly fromMs: number;
  readonly toMs: number;
}
