import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { technicalConditions } from '../../../gateway/alarm/conditions.ts';
import { defaultHysteresis, defaultLimits } from '../../../gateway/alarm/defaults.ts';
import { alarmTables } from '../../../gateway/alarm/print-tables.ts';
import { lineOf } from '../../../gateway/alarm/source-order.ts';
import { limitRefusals } from '../../../gateway/census/limit-range.ts';
import { profiles } from '../../../model/census.ts';
import { metrics } from '../../../model/metric-table.ts';

const page = readFileSync(new URL('../../../docs/alarms.md', import.meta.url), 'utf8');

describe('docs/alarms.md', () => {
  for (const [name, make] of Object.entries(alarmTables)) {
    test(`prints the ${name} table as the code has it`, () => {
      expect(page).toContain(
        `<!-- ${name}: begin, written by npm run docs -->\n\n${make()}\n\n<!-- ${name}: end -->`,
      );
    });
  }

  test('names every technical condition that the alarm room raises', () => {
    const named = new Set(technicalConditions.map((one) => one.condition));
    for (const condition of [
      'device-silent',
      'value-missing',
      'value-invalid',
      'source-lost',
      'sources-disagree',
      'device-in-demo-mode',
      'unregistered-patient',
      'return-overdue',
    ]) {
      expect(named).toContain(condition);
    }
  });
});

describe('the default limits', () => {
  test("of an adult are CLINICAL 3's", () => {
    const said = (metric: string): string =>
      defaultLimits('adult')
        .filter((one) => one.metric === metric)
        .map((one) => `${one.priority} ${one.direction} ${one.value} ${one.delayS} s ±${one.hysteresis}`)
        .join(', ');
    expect(said('MDC_ECG_HEART_RATE')).toBe(
      'medium low 50 10 s ±2, medium high 120 10 s ±2, high low 40 10 s ±2, high high 140 10 s ±2',
    );
    expect(said('MDC_PULS_OXIM_SAT_O2')).toBe('medium low 90 10 s ±2, high low 85 10 s ±2');
    expect(said('MDC_RESP_RATE')).toBe(
      'medium low 8 10 s ±1, medium high 30 10 s ±1, high low 6 10 s ±1, high high 35 10 s ±1',
    );
    expect(said('MDC_PRESS_BLD_ART_ABP_SYS')).toBe(
      'medium low 90 10 s ±3, medium high 180 10 s ±3, high low 80 10 s ±3, high high 200 10 s ±3',
    );
  });

  test.each(profiles)('of %s would be allowed if a person set them, and are of known metrics', (profile) => {
    const limits = defaultLimits(profile);
    expect(limitRefusals(limits, limits, { metrics, nowMs: 0 })).toEqual([]);
    for (const limit of limits) expect(limit.hysteresis).toBe(defaultHysteresis(lineOf(limit.metric)));
  });

  test.each(profiles)('of %s: the high band lies outside the medium one', (profile) => {
    const limits = defaultLimits(profile);
    for (const high of limits.filter((one) => one.priority === 'high')) {
      const medium = limits.find(
        (one) => one.priority === 'medium' && one.metric === high.metric && one.direction === high.direction,
      );
      const outward = high.direction === 'high' ? 1 : -1;
      expect(outward * (high.value - (medium?.value ?? NaN))).toBeGreaterThanOrEqual(0);
    }
  });

  test('a metric without a known hysteresis has none', () => {
    expect(defaultHysteresis('MDC_TEMP_BLD')).toBe(0);
  });
});
