import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadCharts, readChart, scoreChart } from '../../../../gateway/alarm/scores/chart.ts';

const charts = loadCharts();
const folder = mkdtempSync(join(tmpdir(), 'vigil-charts-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the shipped charts', () => {
  test('are MEWS, MEOWS and five of PEWS, all marked as examples with a source', () => {
    expect(charts.map((chart) => chart.id).toSorted()).toEqual([
      'meows',
      'mews',
      'pews-0-11m',
      'pews-12-23m',
      'pews-12y',
      'pews-2-4y',
      'pews-5-11y',
    ]);
    expect(charts.every((chart) => chart.example && chart.source.length > 20)).toBe(true);
  });

  test('the ages of PEWS leave no gap and do not overlap', () => {
    const ages = charts
      .filter((chart) => chart.score === 'pews')
      .map(({ fromMonths = 0, toMonths = 0 }) => [fromMonths, toMonths] as const)
      .toSorted((a, b) => a[0] - b[0]);
    expect(ages[0]?.[0]).toBe(0);
    for (const [at, [, to]] of ages.slice(0, -1).entries()) expect(ages[at + 1]?.[0]).toBe(to);
  });

  for (const chart of charts) {
    for (const part of chart.parts) {
      if (!('bands' in part)) continue;
      const step = 10 ** -part.decimals;
      for (const [at, { upTo, points }] of part.bands.entries()) {
        const after = part.bands[at + 1]?.points;
        if (upTo === null || after === undefined) continue;
        test(`${chart.id}, ${part.id}: ${upTo} is ${points}, ${upTo + step} is ${after}`, () => {
          expect(scoreChart(chart, { [part.id]: upTo }).parts[part.id]).toBe(points);
          expect(scoreChart(chart, { [part.id]: upTo + step }).parts[part.id]).toBe(after);
          // Rounded to what is shown before it is scored.
          expect(scoreChart(chart, { [part.id]: upTo + step * 0.49 }).parts[part.id]).toBe(points);
        });
      }
    }
  }
});

test('MEWS of a sick adult, by hand from the published table', () => {
  const mews = charts.find((chart) => chart.id === 'mews');
  if (!mews) throw new Error('no MEWS');
  const values = { rr: 32, pulse: 115, sys: 85, temp: 38.6, acvpu: 'V' };
  expect(scoreChart(mews, values)).toEqual({
    total: 9,
    parts: { rr: 3, pulse: 2, sys: 1, temp: 2, acvpu: 1 },
    missing: [],
  });
  expect(scoreChart(mews, { ...values, acvpu: undefined })).toMatchObject({
    total: null,
    missing: ['acvpu'],
  });
  expect(scoreChart(mews, { ...values, acvpu: 'X', pulse: 'fast' }).missing).toEqual(['pulse', 'acvpu']);
});

test('a hospital’s chart takes the place of the shipped one of its id; others stand beside', () => {
  const own = charts.find((chart) => chart.id === 'mews');
  writeFileSync(
    join(folder, 'own.json'),
    JSON.stringify({ ...own, example: false, source: 'our committee' }),
  );
  writeFileSync(join(folder, 'notes.txt'), 'no chart');
  const loaded = loadCharts(folder);
  expect(loaded).toHaveLength(charts.length);
  expect(loaded.find((chart) => chart.id === 'mews')).toMatchObject({
    example: false,
    source: 'our committee',
  });
});

test.each([
  ['not YAML', ': [', 'it is not YAML'],
  ['an unknown field', 'format: 1\nsurprise: 2\n', ''],
  [
    'bands that do not rise',
    'format: 1\nid: a\nscore: a\ntitle: { en: a, zh: a }\nsource: x\nexample: true\nprofiles: [adult]\nparts:\n' +
      '  - { id: rr, line: respiration, decimals: 0, bands: [{ upTo: 9, points: 1 }, { upTo: 8, points: 0 }] }\n',
    'do not rise',
  ],
  [
    'a last band with an end',
    'format: 1\nid: a\nscore: a\ntitle: { en: a, zh: a }\nsource: x\nexample: true\nprofiles: [adult]\nparts:\n' +
      '  - { id: rr, line: respiration, decimals: 0, bands: [{ upTo: 8, points: 1 }, { upTo: 9, points: 0 }] }\n',
    'has an upper end',
  ],
  [
    'two parts with one id',
    'format: 1\nid: a\nscore: a\ntitle: { en: a, zh: a }\nsource: x\nexample: true\nprofiles: [adult]\nparts:\n' +
      '  - { id: o, oxygen: { air: 0, oxygen: 2 } }\n  - { id: o, oxygen: { air: 0, oxygen: 2 } }\n',
    'two parts',
  ],
] as const)('%s is refused with the file’s name', (_, text, cause) => {
  expect(() => readChart('ours.yaml', text)).toThrow(/ours\.yaml/);
  expect(() => readChart('ours.yaml', text)).toThrow(new RegExp(cause));
});

test('a folder that is not there is refused in words', () => {
  expect(() => loadCharts(join(folder, 'none'))).toThrow(/cannot be read/);
});
