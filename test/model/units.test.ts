import fc from 'fast-check';
import { expect, test } from 'vitest';
import { metrics } from '../../model/metric-table.ts';
import { convert, isUnit, ucumOfWire, wireOfUcum, wireUnits } from '../../model/units.ts';

const units = [
  ...[
    'Cel',
    '[degF]',
    'K',
    'Pa',
    'hPa',
    'kPa',
    'mbar',
    'mm[Hg]',
    'cm[H2O]',
    "[in_i'H2O]",
    '1',
    '%',
    'L',
    'mL',
  ],
  ...[
    'L/min',
    'mL/h',
    'm3/h',
    '[cft_i]/min',
    'kg',
    'g',
    '[lb_av]',
    'm',
    'cm',
    'mm',
    '[in_i]',
    's',
    'ms',
    'min',
  ],
  ...[
    'h',
    '/min',
    'Hz',
    'V',
    'mV',
    'uV',
    'Ohm',
    'kOhm',
    'mg/dL',
    'g/L',
    'mmol/L',
    'umol/L',
    'mL/mbar',
    'L/bar',
  ],
];

test('any value that converts comes back as it was', () => {
  const pair = fc.tuple(
    fc.constantFrom(...units),
    fc.constantFrom(...units),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  );
  fc.assert(
    fc.property(pair, ([from, to, value]) => {
      const there = convert(value, from, to, 'MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD');
      if (there === undefined) {
        expect(convert(value, to, from, 'MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD')).toBeUndefined();
        return;
      }
      const back = convert(there, to, from, 'MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD') ?? NaN;
      expect(Math.abs(back - value)).toBeLessThanOrEqual(1e-9 * Math.max(1_000, Math.abs(value)));
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  [98.6, '[degF]', 'Cel', 37],
  [1, 'kPa', 'mm[Hg]', 7.50062],
  [1, 'mbar', 'cm[H2O]', 1.01972],
  [1, 'mbar', 'mm[Hg]', 0.750062],
  [1, "[in_i'H2O]", 'Pa', 249.089],
  [1, 'Pa', "[in_i'H2O]", 0.00401463],
  [0.21, '1', '%', 21],
  [0.48, 'L', 'mL', 480],
  [1, '[lb_av]', 'kg', 0.45359237],
  [1, '[cft_i]/min', 'm3/h', 1.699011],
  [60, 'mL/h', 'mL/min', 1],
  [1, 'mL/mbar', 'mL/cm[H2O]', 0.980665],
])('%d %s is so many %s', (value, from, to, expected) => {
  expect(convert(value, from, to)).toBeCloseTo(expected, 5);
});

test('glucose alone converts between mass and amount', () => {
  expect(convert(5.5, 'mmol/L', 'mg/dL', 'MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD')).toBeCloseTo(99.088, 6);
  expect(convert(99.088, 'mg/dL', 'mmol/L', 'glucose-tissue')).toBeCloseTo(5.5, 6);
  expect(convert(5.5, 'mmol/L', 'mg/dL')).toBeUndefined();
  expect(convert(5.5, 'mmol/L', 'mg/dL', 'MDC_TEMP')).toBeUndefined();
});

test('what does not convert is not guessed: millimetres of an ECG are no millivolts', () => {
  expect(convert(1, 'mm', 'mV', 'MDC_ECG_AMPL_ST_II')).toBeUndefined();
  expect(convert(1, 'furlong', 'm')).toBeUndefined();
  expect(convert(1, 'm', 'furlong')).toBeUndefined();
  expect(isUnit('furlong')).toBe(false);
});

test('equal units pass as they are', () => {
  expect(convert(42, '{score}', '{score}')).toBe(42);
});

test('a unit on the wire is read by code or reference id', () => {
  expect(ucumOfWire(264864)).toBe('/min');
  expect(ucumOfWire('MDC_DIM_MMHG')).toBe('mm[Hg]');
  expect(ucumOfWire('264928')).toBe('/min');
  expect(ucumOfWire('MDC_DIM_NONE')).toBeUndefined();
});

test('wire units stand once each, in partition 4, and each is a unit we convert', () => {
  expect(new Set(wireUnits.map((unit) => unit.mdc)).size).toBe(wireUnits.length);
  for (const unit of wireUnits) {
    expect(unit.mdc >> 16, unit.refId).toBe(4);
    expect(isUnit(unit.ucum), unit.ucum).toBe(true);
  }
});

test('breaths and beats are told apart on the wire though UCUM writes both /min', () => {
  expect(wireOfUcum('/min', metrics.get('MDC_RESP_RATE')?.quantity)?.mdc).toBe(264928);
  expect(wireOfUcum('/min', metrics.get('MDC_ECG_HEART_RATE')?.quantity)?.mdc).toBe(264864);
  expect(wireOfUcum('furlong')).toBeUndefined();
});
