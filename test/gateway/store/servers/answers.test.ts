import { expect, test } from 'vitest';
import { causeOf, retryAfterMs, verdictOf } from '../../../../gateway/store/servers/answers.ts';

const answer = (status: number, body: unknown = '', headers = {}) => ({
  status,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const nowMs = Date.UTC(2026, 0, 5, 12);

test.each([
  [204, 'stored'],
  [201, 'stored'],
  [200, 'pause'],
  [301, 'pause'],
  [400, 'linesRefused'],
  [401, 'pause'],
  [403, 'pause'],
  [404, 'pause'],
  [408, 'later'],
  [413, 'tooLarge'],
  [422, 'linesRefused'],
  [425, 'later'],
  [429, 'later'],
  [451, 'pause'],
  [500, 'later'],
  [501, 'later'],
  [503, 'later'],
])('status %i means: %s', (status, kind) => {
  expect(verdictOf(answer(status), ['a b=1 1'], nowMs).kind).toBe(kind);
});

test('no answer means: later, in its own words', () => {
  expect(verdictOf({ none: 'the connection broke' }, [], nowMs)).toEqual({
    kind: 'later',
    cause: 'the connection broke',
  });
});

test.each([
  ['30', 30_000],
  ['0', 0],
  ['1.5', 1_500],
  [new Date(nowMs + 5_000).toUTCString(), 5_000],
  [new Date(nowMs - 5_000).toUTCString(), 0],
  ['99999999', 3_600_000],
  ['soon', undefined],
  [undefined, undefined],
])('Retry-After %s is %s ms', (header, ms) => {
  expect(retryAfterMs(header, nowMs)).toBe(ms);
});

test('a line that is named is found: by number in 3.x, by its own words in 1.x', () => {
  const lines = ['vigil,device=a value=1 1', 'vigil,device=b value= 2', 'vigil,device=c value=3 3'];
  const third = { error: 'partial write', data: [{ line_number: 2 }, { line_number: 9 }, null] };
  expect(verdictOf(answer(400, third), lines, nowMs)).toMatchObject({ named: [1] });
  const first = { error: `partial write: unable to parse '${lines[1]}': missing field value dropped=0` };
  expect(verdictOf(answer(400, first), lines, nowMs)).toMatchObject({ named: [1], tooOld: false });
  const conflict = { error: 'partial write: field type conflict dropped=1' };
  expect(verdictOf(answer(400, conflict), lines, nowMs)).toMatchObject({ named: [] });
});

test('the cause never quotes a line: it holds values', () => {
  const error = `partial write: unable to parse 'vigil,device=a value=72 1': bad, and 'vigil value=73 2': bad`;
  expect(causeOf(answer(400, { error }))).toBe("status 400: partial write: unable to parse '…': bad");
});
