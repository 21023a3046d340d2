import { describe, expect, test } from 'vitest';
import type { BedView, LatestValue } from '../../model/stream.ts';
import { arrange, figureOf, limitsOf, standingOf } from '../../web/src/ward/vital-signs.ts';

const nowMs = 1_763_740_800_000;
const value = (metric: string, label: string, more: Partial<LatestValue> = {}): LatestValue => ({
  device: 'monitor-1',
  metric,
  label,
  unit: '/min',
  decimals: 0,
  episodic: false,
  value: 80,
  validity: 'valid',
  takenAtMs: nowMs - 500,
  receivedAtMs: nowMs - 400,
  staleAfterMs: 10_000,
  ...more,
});
const hr = value('MDC_ECG_HEART_RATE', 'HR');
const pulse = value('MDC_PULS_OXIM_PULS_RATE', 'PR', { value: 79 });
const cuff = (part: 'SYS' | 'DIA' | 'MEAN', figure: number | null): LatestValue =>
  value(`MDC_PRESS_BLD_NONINV_${part}`, `NIBP-${part.charAt(0)}`, {
    value: figure,
    episodic: true,
    staleAfterMs: undefined,
    takenAtMs: nowMs - 600_000,
  });
const line = (part: 'SYS' | 'DIA' | 'MEAN', figure: number): LatestValue =>
  value(`MDC_PRESS_BLD_ART_ABP_${part}`, `ABP-${part.charAt(0)}`, { value: figure });

describe('what stands large on a tile', () => {
  test('the heart rate, and the pulse beside it only small', () => {
    expect(arrange([pulse, hr], nowMs)).toMatchObject({ rate: hr, rest: [pulse] });
  });

  test('the pulse when the heart rate is missing, invalid or old', () => {
    for (const bad of [
      { ...hr, value: null, reason: 'sensor-off', validity: 'invalid' },
      { ...hr, value: 999, validity: 'invalid' },
      { ...hr, takenAtMs: nowMs - 10_001 },
    ] as const)
      expect(arrange([bad, pulse], nowMs)).toMatchObject({ rate: pulse, rest: [bad] });
  });

  test('the missing heart rate when nothing else measures the heart, so that its reason is seen', () => {
    const off = { ...hr, value: null, reason: 'sensor-off' } as const;
    expect(arrange([off], nowMs).rate).toBe(off);
  });

  test('the arterial line before the cuff, the cuff when the line measures nothing', () => {
    const cuffs = [cuff('SYS', 120), cuff('DIA', 70), cuff('MEAN', 87)];
    const lines = [line('SYS', 118), line('DIA', 69), line('MEAN', 85)];
    const [systolic, diastolic, mean] = lines;
    expect(arrange([...cuffs, ...lines], nowMs).pressure).toEqual({ systolic, diastolic, mean });
    const old = lines.map((one) => ({ ...one, takenAtMs: nowMs - 60_000 }));
    expect(arrange([...cuffs, ...old], nowMs).pressure?.systolic).toBe(cuffs[0]);
  });

  test('no pulse of a cuff: it is minutes old and looks like now', () => {
    const cuffPulse = value('MDC_PULS_RATE_NON_INV', 'PR', { episodic: true, staleAfterMs: undefined });
    expect(arrange([cuffPulse], nowMs)).toMatchObject({ rate: undefined, rest: [cuffPulse] });
  });

  test('an unknown parameter is shown small, never dropped', () => {
    const unknown = value('vendor-42', 'vendor-42');
    expect(arrange([unknown], nowMs).rest).toEqual([unknown]);
  });
});

describe('what may be believed of a value', () => {
  test('an old figure is stale, and what was missing is still missing', () => {
    const off = { ...hr, value: null, reason: 'sensor-off', takenAtMs: nowMs - 60_000 } as const;
    expect(standingOf(off, nowMs)).toBe('missing');
    expect(standingOf({ ...hr, takenAtMs: nowMs - 10_001 }, nowMs)).toBe('stale');
    expect(standingOf({ ...hr, takenAtMs: nowMs - 10_000 }, nowMs)).toBe('valid');
  });
  test('a cuff pressure never gets stale; its time is shown', () => {
    expect(standingOf(cuff('SYS', 120), nowMs)).toBe('valid');
  });
  test('an impossible figure is missing, not shown', () => {
    expect(standingOf({ ...hr, value: 900, validity: 'invalid' }, nowMs)).toBe('missing');
  });
  test('a rate of 0 is a value', () => {
    expect(standingOf({ ...hr, value: 0 }, nowMs)).toBe('valid');
    expect(figureOf({ ...hr, value: 0 })).toBe('0');
  });
  test('a questionable one stays so', () => {
    expect(standingOf({ ...hr, validity: 'questionable' }, nowMs)).toBe('questionable');
  });
  test('a mode in words is a value', () => {
    const mode = value('vent-mode', 'Mode', { value: null, text: 'SIMV+PS' });
    expect(standingOf(mode, nowMs)).toBe('valid');
    expect(figureOf(mode)).toBe('SIMV+PS');
  });
});

test("the limits beside a value are its quantity's, of the medium band", () => {
  const bed = {
    limits: [
      { metric: 'MDC_ECG_HEART_RATE', direction: 'high', priority: 'medium', value: 120 },
      { metric: 'MDC_ECG_HEART_RATE', direction: 'low', priority: 'medium', value: 50 },
      { metric: 'MDC_ECG_HEART_RATE', direction: 'high', priority: 'high', value: 140 },
    ],
  } as unknown as BedView;
  expect(limitsOf(bed, pulse)).toEqual({ high: 120, low: 50 });
  expect(limitsOf(bed, value('MDC_RESP_RATE', 'RR'))).toEqual({ high: undefined, low: undefined });
});
