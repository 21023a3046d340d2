/**
 * Descriptor of what can be measured (on screens: parameter, 参数). The table is in metric-table.ts, vendors' other
 * names in aliases.ts.
 */
export interface Metric {
  /** 11073-10101 reference id, or a lower-case word where there is none (`pain-score`). */
  readonly refId: string;
  /** 32-bit MDC code; absent where none is known. */
  readonly mdc?: number;
  readonly loinc?: readonly string[];
  /** UCUM, the metric's own unit; `1` for none. */
  readonly unit: string;
  readonly name: { readonly en: string; readonly zh: string };
  /** Short label for a tile: HR, SpO2. */
  readonly label: string;
  /** The instrument's full span, in `unit`; absent for text and codes. */
  readonly span?: readonly [number, number];
  readonly decimals: number;
  /** How often a value is expected, ms; absent for episodic metrics. */
  readonly periodMs?: number;
  /** Continuous values go stale; episodic ones (cuff pressure, spot temperature) keep their own time. */
  readonly episodic: boolean;
  readonly quantity: Quantity;
  readonly value: 'number' | 'code' | 'text';
  /** False where `standards.md` marks code or LOINC as one source, derived or unconfirmed. */
  readonly confirmed: boolean;
  /** What of it is not confirmed, in words; absent when confirmed. */
  readonly doubt?: string;
}

/** The physiological quantity a metric measures: one heart, one quantity (CLINICAL 2). */
export const quantities = [
  'heart-rate',
  'saturation',
  'arterial-saturation',
  'perfusion',
  'respiration',
  'systolic',
  'diastolic',
  'mean-pressure',
  'pulmonary-pressure',
  'venous-pressure',
  'intracranial-pressure',
  'cerebral-perfusion',
  'temperature',
  'skin-temperature',
  'etco2',
  'fio2',
  'st',
  'pvc',
  'glucose',
  'weight',
  'height',
  'peep',
  'tidal-volume',
  'minute-volume',
  'airway-pressure',
  'vent-rate',
  'infusion-rate',
  'infusion-volume',
  'pump-status',
  'consciousness',
  'pain',
  'urine',
  'oxygen',
  'cardiac-output',
  'environment',
  'supply',
  'other',
] as const;
export type Quantity = (typeof quantities)[number];
