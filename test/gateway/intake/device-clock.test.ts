import { describe, expect, test } from 'vitest';
import { DeviceClock, type Placed } from '../../../gateway/intake/device-clock.ts';

const nowMs = Date.UTC(2026, 0, 5, 2, 0, 0);
const dayMs = 86_400_000;

function place(
  clock: DeviceClock,
  takenAtMs: number,
  { ageMs = NaN, flagged = false, receivedAtMs = nowMs } = {},
): Placed {
  const placed: Placed = { takenAtMs: 0, historical: false, doubtful: false, unplaced: false };
  clock.place(takenAtMs, ageMs, flagged, receivedAtMs, placed);
  return placed;
}

describe("a device's clock", () => {
  test('that fits ours is believed', () => {
    expect(place(new DeviceClock(), nowMs - 700)).toEqual({
      takenAtMs: nowMs - 700,
      historical: false,
      doubtful: false,
      unplaced: false,
    });
  });

  test.each([
    ['a day ahead', nowMs + dayMs],
    ['a day behind', nowMs - dayMs],
    ['at 1970', 0],
    ['before 1970', -5],
    ['at the end of numbers', 1e308],
  ])('%s on a live message costs nobody an alarm: taken as of now, marked', (_, takenAtMs) => {
    expect(place(new DeviceClock(), takenAtMs)).toEqual({
      takenAtMs: nowMs,
      historical: false,
      doubtful: true,
      unplaced: false,
    });
  });

  test('told at birth is corrected by the measured offset', () => {
    const clock = new DeviceClock();
    clock.tell(nowMs - dayMs, nowMs);
    expect(place(clock, nowMs - dayMs - 400)).toMatchObject({
      takenAtMs: nowMs - 400,
      historical: false,
      doubtful: false,
    });
    expect(place(clock, nowMs - dayMs - 90_000)).toMatchObject({
      takenAtMs: nowMs - 90_000,
      historical: true,
    });
  });

  test('once trusted, a value older than 60 s on arrival is historical even when not flagged', () => {
    const clock = new DeviceClock();
    place(clock, nowMs - 100);
    expect(place(clock, nowMs - 61_000)).toMatchObject({
      takenAtMs: nowMs - 61_000,
      historical: true,
      doubtful: false,
    });
  });

  test('once trusted and fallen back to 1970 is believed no more: the value is live, and marked', () => {
    const clock = new DeviceClock();
    place(clock, nowMs - 100);
    expect(place(clock, 1_000)).toMatchObject({ takenAtMs: nowMs, historical: false, doubtful: true });
  });

  test('backlog with a wrong clock is placed by its age, and without one belongs to nobody', () => {
    const clock = new DeviceClock();
    place(clock, nowMs + dayMs);
    expect(place(clock, nowMs + dayMs, { flagged: true, ageMs: 120_000 })).toMatchObject({
      takenAtMs: nowMs - 120_000,
      historical: true,
      unplaced: false,
    });
    expect(place(clock, nowMs + dayMs, { flagged: true })).toMatchObject({
      historical: true,
      unplaced: true,
    });
    expect(place(clock, NaN, { flagged: true })).toMatchObject({ unplaced: true });
  });

  test('wins trust back by three fitting messages', () => {
    const clock = new DeviceClock();
    place(clock, nowMs + dayMs);
    expect(place(clock, nowMs).doubtful).toBe(true);
    expect(place(clock, nowMs).doubtful).toBe(true);
    expect(place(clock, nowMs).doubtful).toBe(false);
  });
});
