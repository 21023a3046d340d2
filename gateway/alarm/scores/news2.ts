/**
 * National Early Warning Score 2 (Royal College of Physicians, 2017; free to reproduce with acknowledgement). Each
 * part is rounded to its displayed decimal, half up, before scoring. No partial totals: the total is null unless all
 * seven parts are known (CLINICAL 10).
 */
export const news2Parts = ['rr', 'spo2', 'oxygen', 'sys', 'pulse', 'acvpu', 'temp'] as const;
export type News2Part = (typeof news2Parts)[number];
export type Acvpu = 'A' | 'C' | 'V' | 'P' | 'U';

export interface News2Input {
  /** /min. */
  readonly rr?: number;
  /** %. */
  readonly spo2?: number;
  readonly oxygen?: boolean;
  /** Systolic, mm[Hg]. */
  readonly sys?: number;
  /** /min. */
  readonly pulse?: number;
  readonly acvpu?: Acvpu;
  /** Cel. */
  readonly temp?: number;
}

export interface News2Score {
  readonly total: number | null;
  readonly parts: Readonly<Partial<Record<News2Part, number>>>;
  readonly missing: readonly News2Part[];
}

/** Rounds half up to `decimals`; 37.95 is 38.0 although its double lies below. */
export function halfUp(value: number, decimals: number): number {
  const scaled = Number((value * 10 ** decimals).toPrecision(12));
  return Math.floor(scaled + 0.5) / 10 ** decimals;
}

/** The first band whose upper end holds the value. */
const band = (value: number, bands: readonly (readonly [upTo: number, points: number])[]): number =>
  bands.find(([upTo]) => value <= upTo)?.[1] ?? 0;

const respiration = [
  [8, 3],
  [11, 1],
  [20, 0],
  [24, 2],
  [Infinity, 3],
] as const;
const saturation1 = [
  [91, 3],
  [93, 2],
  [95, 1],
  [Infinity, 0],
] as const;
const saturation2Air = [
  [83, 3],
  [85, 2],
  [87, 1],
  [Infinity, 0],
] as const;
const saturation2Oxygen = [
  [83, 3],
  [85, 2],
  [87, 1],
  [92, 0],
  [94, 1],
  [96, 2],
  [Infinity, 3],
] as const;
const systolic = [
  [90, 3],
  [100, 2],
  [110, 1],
  [219, 0],
  [Infinity, 3],
] as const;
const pulse = [
  [40, 3],
  [50, 1],
  [90, 0],
  [110, 1],
  [130, 2],
  [Infinity, 3],
] as const;
const temperature = [
  [35, 3],
  [36, 1],
  [38, 0],
  [39, 1],
  [Infinity, 2],
] as const;

/** `scale` 2 only as a physician set it for this patient; it is never inferred. */
export function news2(input: News2Input, scale: 1 | 2): News2Score {
  const found: Readonly<Record<News2Part, number | undefined>> = {
    rr: input.rr === undefined ? undefined : band(halfUp(input.rr, 0), respiration),
    spo2: saturation(input, scale),
    oxygen: input.oxygen === undefined ? undefined : input.oxygen ? 2 : 0,
    sys: input.sys === undefined ? undefined : band(halfUp(input.sys, 0), systolic),
    pulse: input.pulse === undefined ? undefined : band(halfUp(input.pulse, 0), pulse),
    acvpu: input.acvpu === undefined ? undefined : input.acvpu === 'A' ? 0 : 3,
    temp: input.temp === undefined ? undefined : band(halfUp(input.temp, 1), temperature),
  };
  const parts: Partial<Record<News2Part, number>> = {};
  const missing: News2Part[] = [];
  let total = 0;
  for (const part of news2Parts) {
    const points = found[part];
    if (points === undefined) missing.push(part);
    else {
      parts[part] = points;
      total += points;
    }
  }
  return { total: missing.length === 0 ? total : null, parts, missing };
}

/** On scale 2 a value above 92 cannot be scored without knowing about oxygen. */
function saturation({ spo2, oxygen }: News2Input, scale: 1 | 2): number | undefined {
  if (spo2 === undefined) return undefined;
  const percent = halfUp(spo2, 0);
  if (scale === 1) return band(percent, saturation1);
  if (oxygen === undefined && percent > 92) return undefined;
  return band(percent, oxygen ? saturation2Oxygen : saturation2Air);
}
