import type { Metric } from './metric.ts';
import { body } from './metrics/body.ts';
import { breathing } from './metrics/breathing.ts';
import { circulation } from './metrics/circulation.ts';
import { premises } from './metrics/premises.ts';
import { pump } from './metrics/pump.ts';
import { waves } from './metrics/waves.ts';

const all: readonly Metric[] = [...circulation, ...breathing, ...body, ...pump, ...premises, ...waves];

/** Every metric Vigil knows, by reference id; a metric that is not here is kept and marked, never dropped. */
export const metrics: ReadonlyMap<string, Metric> = new Map(all.map((metric) => [metric.refId, metric]));

/** The same by 32-bit MDC code (partition × 65536 + term code), for those that have one. */
export const metricByMdc: ReadonlyMap<number, Metric> = new Map(
  all.flatMap((metric) => (metric.mdc === undefined ? [] : [[metric.mdc, metric] as const])),
);
