import { describe, expect, test } from 'vitest';
import { createAlertPhases } from '../../model/alert-phases.ts';
import type { AlertState } from '../../model/alarm.ts';
import { measured, missing, words } from '../../model/untimed.ts';

describe('an observation before it has its time', () => {
  test('a number is kept in the metric’s own unit', () => {
    expect(measured('MDC_VENT_VOL_TIDAL', 0.48, 'L')).toEqual({
      metric: 'MDC_VENT_VOL_TIDAL',
      value: 480,
      validity: 'valid',
    });
    expect(measured('MDC_VENT_PRESS_AWAY_MAX', 5, 'mbar')).toMatchObject({ value: 5.0986 });
    expect(measured('MDC_VENT_PRESS_AWAY_MAX', 5.12345678, 'cm[H2O]')).toMatchObject({ value: 5.12345678 });
  });

  test('what does not convert or lies outside the span is no value', () => {
    expect(measured('MDC_VENT_PRESS_AWAY_MAX', 5, 'L')).toMatchObject({ value: null, reason: 'unit' });
    expect(measured('MDC_VENT_PRESS_AWAY_MAX', 999, 'cm[H2O]')).toMatchObject({ reason: 'out-of-span' });
    expect(measured('MDC_VENT_PRESS_AWAY_MAX', Number.NaN, 'cm[H2O]')).toMatchObject({ value: null });
  });

  test('the channel stands where there is one', () => {
    expect(missing('dose-rate', 'not-measured', '11')).toMatchObject({ channel: '11', validity: 'invalid' });
    expect('channel' in missing('dose-rate', 'not-measured')).toBe(false);
    expect(words('pump-drug', 'Propofol', '12')).toMatchObject({ text: 'Propofol', channel: '12' });
  });
});

const alert = (alertId: string): AlertState => ({
  alertId,
  code: alertId,
  text: alertId,
  phase: 'start',
  priority: 'low',
  type: 'technical',
});

describe('the phases of a device’s alerts', () => {
  test('each starts, continues and ends once', () => {
    const phases = createAlertPhases();
    const told = (active: readonly string[]): string[] | undefined =>
      phases.next(active.map(alert))?.map(({ alertId, phase }) => `${alertId} ${phase}`);
    expect(told([])).toBeUndefined();
    expect(told(['a'])).toEqual(['a start']);
    expect(told(['a', 'b'])).toEqual(['a continue', 'b start']);
    expect(told(['b', 'b'])).toEqual(['b continue', 'a end']);
    expect(told([])).toEqual(['b end']);
    expect(told([])).toBeUndefined();
  });
});
