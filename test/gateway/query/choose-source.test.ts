import { expect, test } from 'vitest';
import { chooseSources, type SourceSample } from '../../../gateway/query/choose-source.ts';

// CLINICAL 2: when the preferred source is invalid or silent for 10 s the next is given; the preferred is given again
// after 10 s of valid values. Times are in seconds; `ecg` is preferred to `pulse`.

const sample = (source: number, second: number, says: SourceSample['says'] = 'valid'): SourceSample => ({
  source,
  takenAtMs: second * 1_000,
  says,
});
const every = (
  source: number,
  [from, to]: readonly [number, number],
  says: SourceSample['says'] = 'valid',
): SourceSample[] => Array.from({ length: to - from }, (_, second) => sample(source, from + second, says));

const choose = (samples: SourceSample[], from: number, to: number) =>
  chooseSources(
    samples.toSorted((a, b) => a.takenAtMs - b.takenAtMs),
    { fromMs: from * 1_000, toMs: to * 1_000, sources: 2, covers: () => true },
  ).map(({ fromMs, source }) => [fromMs / 1_000, source === 0 ? 'ecg' : 'pulse']);

test('two that are both there: the preferred is given', () => {
  expect(choose([...every(0, [0, 60]), ...every(1, [0, 60])], 0, 60)).toEqual([[0, 'ecg']]);
});

test('one that joins within ten seconds of the first has not been lost', () => {
  expect(choose([...every(0, [5, 60]), ...every(1, [0, 60])], 0, 60)).toEqual([
    [0, 'pulse'],
    [5, 'ecg'],
  ]);
});

test('silent or invalid for ten seconds gives way; ten seconds of valid values come back', () => {
  const pulse = every(1, [0, 120]);
  for (const lost of [[], every(0, [30, 60], 'none')])
    expect(choose([...every(0, [0, 30]), ...lost, ...every(0, [60, 120]), ...pulse], 0, 120)).toEqual([
      [0, 'ecg'],
      [39, 'pulse'],
      [70, 'ecg'],
    ]);
});

test('a gap of nine seconds changes nothing', () => {
  expect(choose([...every(0, [0, 30]), ...every(0, [38, 60]), ...every(1, [0, 60])], 0, 60)).toEqual([
    [0, 'ecg'],
  ]);
});

test('with nobody beside it a doubtful or invalid source is still the one', () => {
  expect(choose([...every(0, [0, 20]), ...every(0, [20, 60], 'doubtful')], 0, 60)).toEqual([[0, 'ecg']]);
  expect(choose(every(1, [0, 60], 'none'), 0, 60)).toEqual([[0, 'pulse']]);
});

test('the choice at an instant is the same in whatever window it is asked', () => {
  const samples = [...every(0, [0, 30]), ...every(0, [45, 50]), ...every(0, [70, 120]), ...every(1, [0, 90])];
  const whole = choose(samples, 0, 120);
  for (let from = 30; from < 120; from++) {
    const late = choose(
      samples.filter(({ takenAtMs }) => takenAtMs >= (from - 30) * 1_000),
      from,
      120,
    );
    const then = (choices: (string | number)[][], second: number) =>
      choices.findLast(([begin = 0]) => Number(begin) <= second)?.[1];
    for (let second = from; second < 120; second++) {
      if (!samples.some(({ takenAtMs }) => takenAtMs === second * 1_000)) continue;
      expect([from, second, then(late, second)]).toEqual([from, second, then(whole, second)]);
    }
  }
});
