import { expect, test } from 'vitest';
import { reasons } from '../../model/observation.ts';
import { columnsFor } from '../../web/src/ward/columns.ts';
import {
  ageInWords,
  inWords,
  problemWords,
  technicalWords,
  unitInWords,
  yearsOld,
} from '../../web/src/words.ts';

test('every reason for a missing value has words of its own', () => {
  const said = reasons.map((reason) => inWords(reason));
  expect(new Set(said).size).toBe(reasons.length);
  for (const words of said) expect(words).toMatch(/^[a-z ]+$/);
});

test('every technical alarm has its next step, and names the parameters it is about', () => {
  const missing = { condition: 'value-missing', details: { metrics: 'RR, SpO2' } };
  expect(technicalWords(missing).says).toBe('RR, SpO2: sensor off or no value');
  expect(technicalWords({ condition: 'never-heard-of' })).toEqual({
    says: 'Never heard of',
    next: 'Tell the biomedical engineer.',
  });
});

test('an age is told in the unit a person would use', () => {
  expect([-5, 999, 7_000, 99_999, 100_000, 3_600_000, 7_200_000].map(ageInWords)).toEqual([
    '0 s',
    '0 s',
    '7 s',
    '99 s',
    '2 min',
    '60 min',
    '2 h',
  ]);
});

test('a person is as old as on the day before the birthday until it', () => {
  const at = new Date(2026, 10, 21, 12).getTime();
  expect(yearsOld('1955-11-21', at)).toBe(71);
  expect(yearsOld('1955-11-22', at)).toBe(70);
  expect(yearsOld(undefined, at)).toBeUndefined();
  expect(yearsOld('1955', at)).toBeUndefined();
});

test('units are written as people write them', () => {
  expect(['mm[Hg]', 'Cel', '1', '/min', 'mL/h'].map(unitInWords)).toEqual(['mmHg', '°C', '', '/min', 'mL/h']);
});

test('a problem is told as a sentence', () => {
  expect(problemWords({ title: 'user and password do not fit' })).toBe('User and password do not fit');
});

test('all beds of a ward fit on a board, in rows as even as the window allows', () => {
  const board = { width: 1_536, height: 950 };
  expect([1, 2, 8, 24, 60].map((count) => columnsFor(count, board))).toEqual([1, 2, 4, 6, 10]);
});
