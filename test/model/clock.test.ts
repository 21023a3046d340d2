import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pause, systemClock } from '../../model/clock.ts';
import { virtualClock } from '../house/virtual-clock.ts';

// The machine's clock itself is what is under test here, so vitest's twin of it stands in: it can be set, as a
// person or NTP sets a machine's clock.
beforeEach(() => {
  vi.useFakeTimers({
    now: Date.UTC(2026, 0, 5, 2, 0, 0),
    toFake: ['Date', 'performance', 'setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

const setMachine = (byMs: number): void => {
  vi.setSystemTime(Date.now() + byMs);
};

test('an undisturbed clock follows the machine', () => {
  const clock = systemClock();
  const start = clock.nowMs();
  vi.advanceTimersByTime(90_000);
  expect(clock.nowMs() - start).toBe(90_000);
  expect(Math.abs(clock.machineOffsetMs())).toBeLessThan(1);
});

test.each([3_600_000, -3_600_000])(
  'a step of the machine by %d ms is seen at once and reorders nothing',
  (stepMs) => {
    const clock = systemClock();
    vi.advanceTimersByTime(10_000);
    const before = clock.nowMs();
    setMachine(stepMs);
    expect(clock.machineOffsetMs()).toBeCloseTo(stepMs, -2);
    let last = before;
    for (let second = 0; second < 60; second++) {
      vi.advanceTimersByTime(1_000);
      const now = clock.nowMs();
      expect(now).toBeGreaterThan(last);
      // 500 ppm of a second is half a millisecond.
      expect(Math.abs(now - last - 1_000)).toBeLessThanOrEqual(1.5);
      last = now;
    }
  },
);

test('a start behind what is kept goes on from there, and says how far the machine is off', () => {
  const clock = systemClock();
  vi.advanceTimersByTime(10_000);
  const kept = clock.nowMs() + 7_200_000;
  clock.notBefore(kept);
  expect(clock.nowMs()).toBe(kept);
  expect(clock.machineOffsetMs()).toBeCloseTo(-7_200_000, -2);
  clock.notBefore(kept - 1);
  vi.advanceTimersByTime(1_000);
  expect(Math.abs(clock.nowMs() - kept - 1_000)).toBeLessThanOrEqual(1.5);
});

test('a small error of the machine is made good by slewing, 500 ppm at most', () => {
  const clock = systemClock();
  vi.advanceTimersByTime(10_000);
  clock.nowMs();
  setMachine(40);
  for (let second = 0; second < 40; second++) {
    vi.advanceTimersByTime(1_000);
    clock.nowMs();
  }
  expect(clock.machineOffsetMs()).toBeGreaterThan(15);
  for (let second = 0; second < 60; second++) {
    vi.advanceTimersByTime(1_000);
    clock.nowMs();
  }
  expect(Math.abs(clock.machineOffsetMs())).toBeLessThan(1);
});

test('delays run on monotonic time: a step of the machine moves no timer', () => {
  const clock = systemClock();
  const rang: number[] = [];
  const stop = clock.every(1_000, () => rang.push(clock.monotonicMs()));
  clock.after(1_500, () => rang.push(-1));
  const cancel = clock.after(500, () => rang.push(-2));
  cancel();
  vi.advanceTimersByTime(1_000);
  vi.advanceTimersByTime(1_000);
  stop();
  vi.advanceTimersByTime(5_000);
  expect(rang).toHaveLength(3);
  expect(rang[1]).toBe(-1);
});

test('a pause ends when its time has passed', async () => {
  const clock = virtualClock();
  let ended = false;
  const waiting = pause(clock, 250).then(() => {
    ended = true;
    return undefined;
  });
  await clock.pass(249);
  expect(ended).toBe(false);
  await clock.pass(1);
  await waiting;
  expect(ended).toBe(true);
});
