import { describe, expect, test } from 'vitest';
import { halfUp, news2, news2Parts, type News2Input } from '../../../../gateway/alarm/scores/news2.ts';

const well: Required<News2Input> = {
  rr: 16,
  spo2: 98,
  oxygen: false,
  sys: 120,
  pulse: 70,
  acvpu: 'A',
  temp: 37,
};

// The whole of the chart, typed from the table of the Royal College: [value, points] at both sides of every edge.
const chart: Readonly<Record<string, readonly (readonly [value: number, points: number])[]>> = {
  rr: [
    [0, 3],
    [8, 3],
    [9, 1],
    [11, 1],
    [12, 0],
    [20, 0],
    [21, 2],
    [24, 2],
    [25, 3],
    [60, 3],
  ],
  sys: [
    [40, 3],
    [90, 3],
    [91, 2],
    [100, 2],
    [101, 1],
    [110, 1],
    [111, 0],
    [219, 0],
    [220, 3],
    [300, 3],
  ],
  pulse: [
    [0, 3],
    [40, 3],
    [41, 1],
    [50, 1],
    [51, 0],
    [90, 0],
    [91, 1],
    [110, 1],
    [111, 2],
    [130, 2],
    [131, 3],
  ],
  temp: [
    [34, 3],
    [35, 3],
    [35.1, 1],
    [36, 1],
    [36.1, 0],
    [38, 0],
    [38.1, 1],
    [39, 1],
    [39.1, 2],
    [42, 2],
  ],
};
const saturation: readonly (readonly [scale: 1 | 2, oxygen: boolean, value: number, points: number])[] = [
  ...(
    [
      [70, 3],
      [91, 3],
      [92, 2],
      [93, 2],
      [94, 1],
      [95, 1],
      [96, 0],
      [100, 0],
    ] as const
  ).flatMap(
    ([value, points]) =>
      [
        [1, false, value, points],
        [1, true, value, points],
      ] as const,
  ),
  ...(
    [
      [80, 3],
      [83, 3],
      [84, 2],
      [85, 2],
      [86, 1],
      [87, 1],
      [88, 0],
      [92, 0],
    ] as const
  ).flatMap(
    ([value, points]) =>
      [
        [2, false, value, points],
        [2, true, value, points],
      ] as const,
  ),
  ...(
    [
      [93, 0],
      [94, 0],
      [95, 0],
      [96, 0],
      [97, 0],
      [100, 0],
    ] as const
  ).map(([value, points]) => [2, false, value, points] as const),
  ...(
    [
      [93, 1],
      [94, 1],
      [95, 2],
      [96, 2],
      [97, 3],
      [100, 3],
    ] as const
  ).map(([value, points]) => [2, true, value, points] as const),
];

describe('NEWS2', () => {
  test('somebody well scores 0', () => {
    expect(news2(well, 1)).toEqual({
      total: 0,
      parts: Object.fromEntries(news2Parts.map((part) => [part, 0])),
      missing: [],
    });
  });

  for (const [part, rows] of Object.entries(chart)) {
    test.each(rows)(`${part} %d scores %d`, (value, points) => {
      expect(news2({ ...well, [part]: value }, 1)).toMatchObject({
        total: points,
        parts: { [part]: points },
      });
    });
  }

  test.each(saturation)('on scale %d with oxygen %s SpO2 %d scores %d', (scale, oxygen, spo2, points) => {
    expect(news2({ ...well, oxygen, spo2 }, scale)).toMatchObject({
      total: points + (oxygen ? 2 : 0),
      parts: { spo2: points },
    });
  });

  test.each([
    ['A', 0],
    ['C', 3],
    ['V', 3],
    ['P', 3],
    ['U', 3],
  ] as const)('%s scores %d', (acvpu, points) => {
    expect(news2({ ...well, acvpu }, 1).total).toBe(points);
  });

  test('the highest total is 20', () => {
    expect(
      news2({ rr: 30, spo2: 80, oxygen: true, sys: 80, pulse: 140, acvpu: 'U', temp: 34 }, 1).total,
    ).toBe(20);
  });

  test('there is no partial total: what is missing is named', () => {
    for (const part of news2Parts) {
      const score = news2({ ...well, [part]: undefined }, 1);
      expect(score.total).toBeNull();
      expect(score.missing).toEqual([part]);
    }
  });

  test('parts are rounded half up to their displayed decimal before scoring', () => {
    expect(halfUp(35.05, 1)).toBe(35.1);
    expect(halfUp(1.005, 2)).toBe(1.01);
    expect(news2({ ...well, temp: 35.04 }, 1).parts.temp).toBe(3);
    expect(news2({ ...well, temp: 35.05 }, 1).parts.temp).toBe(1);
    expect(news2({ ...well, temp: 38.05 }, 1).parts.temp).toBe(1);
    expect(news2({ ...well, rr: 8.5 }, 1).parts.rr).toBe(1);
    expect(news2({ ...well, rr: 24.4 }, 1).parts.rr).toBe(2);
    expect(news2({ ...well, sys: 90.5 }, 1).parts.sys).toBe(2);
  });

  test('on scale 2 a saturation above 92 is not scored without knowing about oxygen', () => {
    expect(news2({ ...well, spo2: 95, oxygen: undefined }, 2)).toMatchObject({
      total: null,
      missing: ['spo2', 'oxygen'],
    });
    expect(news2({ ...well, spo2: 90, oxygen: undefined }, 2).parts.spo2).toBe(0);
  });
});
