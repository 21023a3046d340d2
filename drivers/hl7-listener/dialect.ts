import type { Metric } from '../../model/metric.ts';
import type { Vendor } from './settings.ts';

/** What a vendor does in its own way. */
interface Dialect {
  /** Words of MSH-3 or MSH-4 by which it is known. */
  readonly sayings: RegExp;
  /** Coding system of codes sent without one. */
  readonly localSystem?: string;
  /** Numbers that stand for no value, even where the metric could have them. */
  readonly noValues: readonly number[];
}

// devices.md 8 and 12: one capture each, where not said otherwise.
const dialects: Readonly<Record<Vendor, Dialect>> = {
  generic: { sayings: /(?!)/, noValues: [] },
  mindray: { sayings: /mindray|egateway|benevision|benelink/i, noValues: [] },
  ge: { sayings: /\bge\b|carescape|datex|^vsp/i, noValues: [] },
  philips: { sayings: /philips|intellivue|iib/i, noValues: [] },
  'nihon-kohden': { sayings: /nihon|kohden|^nk/i, localSystem: 'local', noValues: [] },
  comen: { sayings: /comen/i, localSystem: '99COMEN', noValues: [-1, -100, -10_000] },
  xh80x: { sayings: /xh-?80/i, noValues: [-999, -99.9] },
};

/**
 * What real senders write with status F where there is nothing (standards.md 5, field traps; 32767 in sample arrays and
 * numerics of Mindray). Elsewhere such a number may be true, so it counts only outside the span of its metric.
 */
const anyNoValues: ReadonlySet<number> = new Set([-100, -999, -99.9, -1_000, -10_000, 32_767, 8_388_607]);

export function vendorOf(setting: Vendor | 'auto', said: readonly string[]): Vendor {
  if (setting !== 'auto') return setting;
  const known = Object.entries(dialects).find(([, { sayings }]) => said.some((word) => sayings.test(word)));
  return (known?.[0] as Vendor | undefined) ?? 'generic';
}

export const localSystem = (vendor: Vendor): string | undefined => dialects[vendor].localSystem;

/** `metric` undefined: one that Vigil does not know. */
export function isNoValue(number: number, metric: Metric | undefined, vendor: Vendor): boolean {
  if (dialects[vendor].noValues.includes(number)) return true;
  if (!anyNoValues.has(number)) return false;
  const span = metric?.span;
  return !span || number < span[0] || number > span[1];
}
