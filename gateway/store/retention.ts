/** How long which metrics are kept. */
import type { Metric } from '../../model/metric.ts';
import { metrics } from '../../model/metric-table.ts';

/**
 * `vital`: what was measured at or charted of a patient, and whatever the table does not know. `settings`: what a device
 * is set to, and its texts and states. `technical`: rooms, supplies, batteries.
 */
export const metricClasses = ['vital', 'settings', 'technical'] as const;
export type MetricClass = (typeof metricClasses)[number];
export type Retention = Readonly<Record<MetricClass, number>>;

const technical: ReadonlySet<Metric['quantity']> = new Set(['environment', 'supply']);
/** Codes and texts that are findings at the patient (CLINICAL 10), not states of a device. */
const findings: ReadonlySet<Metric['quantity']> = new Set(['consciousness', 'oxygen', 'pain']);

export function classOf(refId: string): MetricClass {
  const metric = metrics.get(refId);
  if (!metric) return 'vital';
  if (technical.has(metric.quantity)) return 'technical';
  if (findings.has(metric.quantity)) return 'vital';
  return metric.value !== 'number' || isSet(refId) ? 'settings' : 'vital';
}

/** 11073-10101 ends the names of what is set, not measured, with SETTING. */
const isSet = (refId: string): boolean => refId.endsWith('_SETTING') || refId.endsWith('-set');

export interface RetentionSettings {
  readonly retentionHours: number;
  readonly settingsRetentionHours: number;
  readonly technicalRetentionHours: number;
  /** No class longer than this while a time-series server answers long queries. */
  readonly besideServerHours: number;
}

const hourMs = 3_600_000;

/** As `vigil.yaml` says, with its sinks. */
export function retentionOf(
  settings: RetentionSettings,
  sinks: readonly { readonly longQueries: boolean }[],
): Retention {
  const mostHours = sinks.some(({ longQueries }) => longQueries) ? settings.besideServerHours : Infinity;
  const length = (hours: number): number => Math.min(hours, mostHours) * hourMs;
  return {
    vital: length(settings.retentionHours),
    settings: length(settings.settingsRetentionHours),
    technical: length(settings.technicalRetentionHours),
  };
}

/** Every class is kept at least so long. */
export const leastRetentionMs = (retention: Retention): number => Math.min(...Object.values(retention));
export const longestRetentionMs = (retention: Retention): number => Math.max(...Object.values(retention));
