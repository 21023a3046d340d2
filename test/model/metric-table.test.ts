import { describe, expect, test } from 'vitest';
import { quantities } from '../../model/metric.ts';
import { metricByMdc, metrics } from '../../model/metric-table.ts';
import { isUnit } from '../../model/units.ts';
import { body } from '../../model/metrics/body.ts';
import { breathing } from '../../model/metrics/breathing.ts';
import { circulation } from '../../model/metrics/circulation.ts';
import { premises } from '../../model/metrics/premises.ts';
import { pump } from '../../model/metrics/pump.ts';
import { waves } from '../../model/metrics/waves.ts';
import { codeTable } from './code-table.ts';

const written = [...circulation, ...breathing, ...body, ...pump, ...premises, ...waves];
const all = [...metrics.values()];

describe('the metric table', () => {
  test('keeps every row: no reference id and no MDC code stands twice', () => {
    expect(new Set(written.map((metric) => metric.refId)).size).toBe(written.length);
    expect(metrics.size).toBe(written.length);
    const codes = written.flatMap((metric) => metric.mdc ?? []);
    expect(new Set(codes).size).toBe(codes.length);
    expect(metricByMdc.size).toBe(codes.length);
  });

  test.each(codeTable)('holds $refId as published', (row) => {
    const metric = metrics.get(row.refId);
    expect(metric).toMatchObject({ refId: row.refId, unit: row.unit, confirmed: row.confirmed });
    expect(metric?.mdc).toBe(row.mdc);
    expect(metric?.loinc).toEqual(row.loinc);
    if (row.mdc !== undefined) expect(metricByMdc.get(row.mdc)).toBe(metric);
  });

  test.each(all.map((metric) => [metric.refId, metric] as const))(
    'gives %s a whole descriptor',
    (_, metric) => {
      expect(metric.refId).toMatch(metric.refId.startsWith('MDC_') ? /^MDC_[A-Z0-9_]+$/ : /^[a-z0-9-]+$/);
      expect(metric.refId.length).toBeLessThanOrEqual(128);
      expect(metric.name.en).toMatch(/^[\x20-\x7e]+$/);
      expect(metric.name.zh).toMatch(/[\u4e00-\u9fff]|^SpO2$/);
      expect(metric.label.length).toBeLessThanOrEqual(10);
      expect(quantities).toContain(metric.quantity);
      expect(metric.decimals).toBeGreaterThanOrEqual(0);
      expect(metric.confirmed).toBe(metric.doubt === undefined);
      for (const loinc of metric.loinc ?? []) expect(loinc).toMatch(/^\d{1,5}-\d$/);
      if (metric.episodic) expect(metric.periodMs).toBeUndefined();
      if (metric.value === 'number') {
        const [low = NaN, high = NaN] = metric.span ?? [];
        expect(low).toBeLessThan(high);
        expect(isUnit(metric.unit) || metric.unit.startsWith('{')).toBe(true);
      } else {
        expect(metric.span).toBeUndefined();
      }
    },
  );

  test('spans are the instruments’ full span, 0 inside for rates', () => {
    const span = (refId: string) => metrics.get(refId)?.span;
    expect(span('MDC_ECG_HEART_RATE')).toEqual([0, 350]);
    expect(span('MDC_RESP_RATE')).toEqual([0, 200]);
    expect(span('MDC_PULS_OXIM_SAT_O2')).toEqual([0, 100]);
    expect(span('MDC_CONC_AWAY_O2_INSP')).toEqual([0, 100]);
    expect(span('MDC_PRESS_BLD_VEN_CENT')).toEqual([-50, 400]);
    expect(span('MDC_CONC_AWAY_CO2_ET')).toEqual([0, 150]);
    for (const metric of all.filter((each) => each.quantity.endsWith('temperature'))) {
      expect(metric).toMatchObject({ span: [0, 50], decimals: 1, unit: 'Cel' });
    }
  });

  test('cuff pressures and spot temperatures keep their own time', () => {
    for (const refId of [
      'MDC_PRESS_BLD_NONINV_SYS',
      'MDC_PULS_RATE_NON_INV',
      'MDC_TEMP_ORAL',
      'acvpu',
      'pain-score',
    ])
      expect(metrics.get(refId)?.episodic).toBe(true);
    for (const refId of ['MDC_PRESS_BLD_ART_ABP_SYS', 'MDC_ECG_HEART_RATE', 'MDC_TEMP_CORE'])
      expect(metrics.get(refId)).toMatchObject({ episodic: false, periodMs: 1_000 });
  });

  test('one heart is one quantity, and so is one pressure, by whatever source', () => {
    const refIds = (quantity: string) =>
      all.filter((each) => each.quantity === quantity).map((each) => each.refId);
    expect(refIds('heart-rate')).toEqual([
      'MDC_ECG_HEART_RATE',
      'MDC_PULS_OXIM_PULS_RATE',
      'MDC_PULS_RATE',
      'MDC_BLD_PULS_RATE_INV',
      'MDC_PULS_RATE_NON_INV',
    ]);
    expect(refIds('systolic')).toContain('MDC_PRESS_CUFF_SYS');
    expect(refIds('systolic')).toContain('MDC_PRESS_BLD_ART_SYS');
    expect(refIds('saturation')).not.toContain('MDC_SAT_O2_ART');
  });

  test('blood gas saturation never carries the pulse oximeter’s LOINC', () => {
    expect(metrics.get('MDC_SAT_O2_ART')?.loinc).not.toContain('59408-5');
  });
});
