/** Why something an authorised sender sent could not be read: closed list, told in health and in the quarantine. */
export const quarantineCauses = [
  'not-json',
  'not-an-object',
  'too-many-elements',
  'bad-boot',
  'bad-seq',
  'bad-field',
  'no-values',
  'bad-key',
  'bad-value',
  'bad-unit',
  'too-many-series',
  'bad-alert',
  'bad-waveform',
  'bad-state',
] as const;
export type QuarantineCause = (typeof quarantineCauses)[number];

/** One unreadable element, kept raw. The payload may hold patient data: it goes to the journal, never to a log. */
export interface Quarantined {
  readonly device: string;
  readonly branch: string;
  readonly cause: QuarantineCause;
  readonly receivedAtMs: number;
  readonly payload: Uint8Array;
}

const encoder = new TextEncoder();

/** The raw form of one element of an array, or of a value within it. */
export const rawOf = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value) ?? 'undefined');
