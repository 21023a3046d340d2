import { expect, test } from 'vitest';
import { Latency } from '../../gateway/latency.ts';

test('alarm latencies are told of the last hour only', () => {
  const latency = new Latency();
  expect(latency.figures(0)).toEqual({ p50: 0, p99: 0, max: 0, count: 0 });
  for (let at = 1; at <= 100; at++) latency.note(at * 1_000, at);
  expect(latency.figures(100_000)).toEqual({ p50: 51, p99: 100, max: 100, count: 100 });
  expect(latency.figures(3_600_000 + 50_000)).toMatchObject({ count: 51, max: 100 });
});

test('more than it holds push the oldest out', () => {
  const latency = new Latency();
  for (let at = 0; at < 25_000; at++) latency.note(1, at);
  expect(latency.figures(1)).toMatchObject({ count: 10_000, max: 24_999 });
});
