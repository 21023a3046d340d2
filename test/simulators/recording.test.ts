import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  columns,
  loadRecording,
  parseRecording,
  patientAt,
  recordingNames,
  recordingsFolder,
  type Recording,
} from '../../simulators/recording.ts';

const header = ['time_s', ...columns].join(',');
const readme = readFileSync(join(recordingsFolder, 'README.md'), 'utf8');
const documented = readme
  .split('\n')
  .filter((line) => line.startsWith('| numerics/'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, file = '', , , extent = '', ranges = '']) => ({
    name: file.replace('numerics/', '').replace('.csv', ''),
    extent,
    ranges,
  }));

// The README rounds to one decimal.
const short = (value: number): string => String(Math.round(value * 10) / 10);
const rangesOf = ({ rows }: Recording): string =>
  columns
    .map((column) => ({ column, seen: rows.flatMap(({ seen }) => seen[column] ?? []) }))
    .filter(({ seen }) => seen.length > 0)
    .map(({ column, seen }) => {
      const range = `${column} ${short(Math.min(...seen))}-${short(Math.max(...seen))}`;
      return seen.length === rows.length ? range : `${range} (${seen.length} of ${rows.length})`;
    })
    .join(', ');

describe('the recordings that come with Vigil', () => {
  test('are those their README lists', () => {
    expect(documented.map(({ name }) => name).sort()).toEqual([...recordingNames()]);
    expect(recordingNames()).toHaveLength(37);
  });

  test.each(documented)('$name holds what its README says', ({ name, extent, ranges }) => {
    const recording = loadRecording(name);
    expect(`${recording.rows.length} x ${recording.periodMs / 1_000} s`).toBe(extent);
    expect(rangesOf(recording)).toBe(ranges);
  });

  test('keep the terms they came with', () => {
    for (const word of ['ODC-BY', 'CC BY 4.0', 'Open Database License 1.0', 'Goldberger']) {
      expect(readme).toContain(word);
    }
    const manifest = JSON.parse(readFileSync(join(recordingsFolder, 'manifest.json'), 'utf8')) as {
      records: { file: string; license: string }[];
    };
    expect(manifest.records.every(({ license }) => license.length > 0)).toBe(true);
    expect(manifest.records.map(({ file }) => file).sort()).toEqual(
      [
        ...recordingNames().map((name) => `numerics/${name}.csv`),
        'waveforms/icu_b01/',
        'waveforms/icu_x1/',
      ].sort(),
    );
  });

  test('have the published waveforms, sample by sample', () => {
    for (const record of ['icu_b01', 'icu_x1']) {
      const folder = join(recordingsFolder, 'waveforms', record);
      const channels = readdirSync(folder).filter((file) => file.endsWith('.json'));
      expect(channels.length).toBeGreaterThan(0);
      for (const file of channels) {
        const facts = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { sha256: string; n: number };
        const samples = readFileSync(join(folder, file.replace('.json', '.i16')));
        expect(samples.length).toBe(2 * facts.n);
        expect(createHash('sha256').update(samples).digest('hex')).toBe(facts.sha256);
      }
    }
  });

  test('ring: the patient of bed 3 is above 120 /min from 35 s on', () => {
    const recording = loadRecording('icu_b21_1s');
    for (let s = 35; s <= 120; s++) expect(patientAt(recording, s * 1_000).seen.hr).toBeGreaterThan(120);
  });
});

describe('a recording', () => {
  const small = parseRecording(
    'small',
    [header, '0,80,,97,0,,,,,,,,,', '1,81,,,,,,,120,80,93,36.5,,', '3,82,,98,12,,,,,,,,,'].join('\n'),
  );

  test('tells a blank from a 0', () => {
    expect(patientAt(small, 0).seen).toEqual({ hr: 80, spo2: 97, rr: 0 });
    expect(patientAt(small, 1_000).seen.spo2).toBeUndefined();
    expect([...small.measured].sort()).toEqual(
      ['hr', 'spo2', 'rr', 'nbp_sys', 'nbp_dia', 'nbp_mean', 'temp'].sort(),
    );
  });

  test('holds a row until the next and begins again after the last', () => {
    expect(small.lengthMs).toBe(4_000);
    const heartRates = [0, 999, 1_000, 2_999, 3_000, 3_999, 4_000, 5_000].map(
      (t) => patientAt(small, t).seen.hr,
    );
    expect(heartRates).toEqual([80, 80, 81, 81, 82, 82, 80, 81]);
  });

  test('runs faster by its speed and starts at its offset', () => {
    expect(patientAt(small, 100, { speed: 10 }).seen.hr).toBe(81);
    expect(patientAt(small, 0, { offsetMs: 3_000 }).seen.hr).toBe(82);
    expect(patientAt(small, 1_000, { offsetMs: 3_000 }).seen.hr).toBe(80);
  });

  test('keeps the last cuff pressure and temperature with their age, in the ward’s time', () => {
    expect(patientAt(small, 0).cuff).toBeUndefined();
    expect(patientAt(small, 2_500).cuff).toEqual({ sys: 120, dia: 80, mean: 93, ageMs: 1_500 });
    expect(patientAt(small, 1_500, { speed: 2 }).temp).toEqual({ celsius: 36.5, ageMs: 1_000 });
    expect(patientAt(small, 4_000).cuff).toBeUndefined();
  });

  test('answers at any time, speed and offset', () => {
    fc.assert(
      fc.property(
        fc.nat(1e9),
        fc.double({ min: 0.1, max: 1_000, noNaN: true }),
        fc.nat(1e7),
        (t, speed, offsetMs) => {
          const { seen, cuff } = patientAt(small, t, { speed, offsetMs });
          expect(seen.hr).toBeGreaterThanOrEqual(80);
          expect(cuff?.ageMs ?? 0).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });

  test.each([
    ['another header', 'time,hr\n0,80\n'],
    ['a word for a number', `${header}\n0,x,,,,,,,,,,,,\n`],
    ['a column too few', `${header}\n0,80\n`],
    ['time that stands still', `${header}\n0${','.repeat(13)}\n0${','.repeat(13)}\n`],
    ['a single row', `${header}\n0${','.repeat(13)}\n`],
  ])('with %s is refused with its line', (_, text) => {
    expect(() => parseRecording('bad', text)).toThrowError(/recording bad cannot be read at line \d/);
  });

  test('that is not there is refused with those that are', () => {
    expect(() => loadRecording('../icu_b01_1s')).toThrowError(/there is no recording/);
  });
});
