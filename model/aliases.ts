import type { Metric } from './metric.ts';
import { metricByMdc, metrics } from './metric-table.ts';

/**
 * What one maker calls a metric. Two makers' numbers for the same thing differ, and one maker's number is another's
 * other thing, so a row holds for its vendor only; `any` holds where the reference id itself has a single meaning.
 */
export interface Alias {
  /** `any`, `mindray`, `ge`, `philips`, `comen`, `nihon-kohden`. */
  readonly vendor: string;
  /** The coding system the code is of: `MDC`, a 16-bit `physio` code, a private table. */
  readonly system: string;
  readonly code: string;
  /** Our reference id. */
  readonly refId: string;
  /** What of the row is not confirmed. */
  readonly doubt?: string;
}

const rows = (
  vendor: string,
  system: string,
  list: readonly (readonly [string, string, string?])[],
): Alias[] =>
  list.map(([code, refId, doubt]) => ({ vendor, system, code, refId, ...(doubt ? { doubt } : {}) }));

/**
 * Arterial lines are no aliases of each other: a monitor may carry ART and ABP at once, so 150033 stays ART and 150037
 * ABP; both are of one quantity, and limits and scores go by quantity.
 */
export const aliases: readonly Alias[] = [
  // The cuff under its other reference id (Mindray and others).
  ...rows('any', 'MDC', [
    ['150301', 'MDC_PRESS_BLD_NONINV_SYS'],
    ['150302', 'MDC_PRESS_BLD_NONINV_DIA'],
    ['150303', 'MDC_PRESS_BLD_NONINV_MEAN'],
    ['MDC_PRESS_CUFF_SYS', 'MDC_PRESS_BLD_NONINV_SYS'],
    ['MDC_PRESS_CUFF_DIA', 'MDC_PRESS_BLD_NONINV_DIA'],
    ['MDC_PRESS_CUFF_MEAN', 'MDC_PRESS_BLD_NONINV_MEAN'],
    ['188452', 'MDC_TEMP_AXIL', 'two codes in use'],
    ['MDC_TEMP_AXILLA', 'MDC_TEMP_AXIL', 'two codes in use'],
  ]),
  ...rows('ge', 'MDC', [
    ['151712', 'MDC_CONC_AWAY_CO2_ET', 'one source reads it as the end-tidal value'],
    ['MDC_CONC_AWAY_CO2_EXP', 'MDC_CONC_AWAY_CO2_ET', 'one source reads it as the end-tidal value'],
  ]),
  // IntelliVue physio ids, partition 2 unless private (0xFxxx).
  ...rows('philips', 'MDC', [
    ['151728', 'MDC_CONC_AWAY_CO2_ET', 'derived'],
    ['MDC_AWAY_CO2_ET', 'MDC_CONC_AWAY_CO2_ET', 'derived'],
  ]),
  ...rows('philips', 'physio', [
    ['0x4182', 'MDC_ECG_HEART_RATE'],
    ['0x4BB8', 'MDC_PULS_OXIM_SAT_O2'],
    ['0x4822', 'MDC_PULS_OXIM_PULS_RATE'],
    ['0x480A', 'MDC_PULS_RATE'],
    ['0xF0E5', 'MDC_PULS_RATE_NON_INV'],
    ['0x500A', 'MDC_RESP_RATE'],
    ['0x4A05', 'MDC_PRESS_BLD_NONINV_SYS'],
    ['0x4A06', 'MDC_PRESS_BLD_NONINV_DIA'],
    ['0x4A07', 'MDC_PRESS_BLD_NONINV_MEAN'],
    ['0x4A15', 'MDC_PRESS_BLD_ART_ABP_SYS'],
    ['0x4A16', 'MDC_PRESS_BLD_ART_ABP_DIA'],
    ['0x4A17', 'MDC_PRESS_BLD_ART_ABP_MEAN'],
    ['0x4BB0', 'MDC_PULS_OXIM_PERF_REL', 'derived'],
    ['0x4B48', 'MDC_TEMP'],
    ['0x50B0', 'MDC_CONC_AWAY_CO2_ET', 'derived'],
    ['0x4BB4', 'MDC_PULS_OXIM_PLETH'],
    ['0x5000', 'MDC_RESP', 'derived'],
    ['0x0101', 'MDC_ECG_ELEC_POTL_I'],
    ['0x4A14', 'MDC_PRESS_BLD_ART_ABP', 'derived'],
  ]),
  ...rows('comen', '99COMEN', [
    ['2267', 'acvpu'],
    ['2279', 'pain-score'],
    ['110', 'MDC_ECG_HEART_RATE', 'one capture'],
  ]),
  ...rows('nihon-kohden', 'local', [
    ['007000', 'MDC_PULS_OXIM_SAT_O2', 'one capture'],
    ['007001', 'MDC_PULS_OXIM_PULS_RATE', 'one capture'],
    ['009000', 'MDC_PRESS_BLD_NONINV_SYS', 'order of the three from one capture'],
    ['009001', 'MDC_PRESS_BLD_NONINV_DIA', 'order of the three from one capture'],
    ['009002', 'MDC_PRESS_BLD_NONINV_MEAN', 'order of the three from one capture'],
  ]),
];

const key = (vendor: string, system: string, code: string): string =>
  `${vendor} ${system} ${code}`.toLowerCase();
const byKey: ReadonlyMap<string, Alias> = new Map(
  aliases.map((alias) => [key(alias.vendor, alias.system, alias.code), alias]),
);

export interface VendorCode {
  /** Lower-case maker's word; absent where it is not known. */
  readonly vendor?: string;
  /** Absent is `MDC`. */
  readonly system?: string;
  /** As sent: a decimal MDC code, `0x4182`, a private code. */
  readonly code?: string | number;
  /** The reference id or name sent beside the code. */
  readonly refId?: string;
}

/**
 * The metric a sender means; undefined for one we do not know (it is then kept under the sender's own word). The
 * text counts before the number, since senders mistype numbers: one sends 150031, which is an aortic pressure, with
 * the text MDC_PRESS_CUFF_SYS. The maker's own rows count before those of `any`, and both before the metric table.
 */
export function findMetric({ vendor = 'any', system = 'MDC', code, refId }: VendorCode): Metric | undefined {
  const number = typeof code === 'number' ? String(code) : code;
  for (const spoken of [refId, number]) {
    if (spoken === undefined || spoken === '') continue;
    const alias = byKey.get(key(vendor, system, spoken)) ?? byKey.get(key('any', system, spoken));
    const found = alias ? metrics.get(alias.refId) : known(system, spoken);
    if (found) return found;
  }
  return undefined;
}

const known = (system: string, spoken: string): Metric | undefined =>
  system === 'MDC' ? (metrics.get(spoken) ?? metricByMdc.get(Number(spoken))) : undefined;
