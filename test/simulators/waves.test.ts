import { expect, test } from 'vitest';
import { Fault } from '../../model/fault.ts';
import { metrics } from '../../model/metric-table.ts';
import { loadWaves, playWaves } from '../../simulators/waves.ts';
import { virtualClock } from '../house/virtual-clock.ts';

test('a recorded wave is loaded in physical units of its metric', () => {
  const [ecg, pressure] = loadWaves('icu_x1', ['ii', 'abp']);
  expect(ecg?.periodUs).toBeCloseTo(1e6 / 249.89, 0);
  for (const wave of [ecg, pressure]) {
    const [low, high] = metrics.get(wave?.metric ?? '')?.span ?? [0, 0];
    for (const sample of wave?.samples ?? []) {
      if (sample === -32_768) continue;
      const value = sample * (wave?.gain ?? 0) + (wave?.offset ?? 0);
      expect(value >= low && value <= high).toBe(true);
    }
  }
  expect(() => loadWaves('icu_x1', ['nothing'])).toThrow(Fault);
  expect(() => loadWaves('nobody', ['ii'])).toThrow(Fault);
});

test('played in pieces of any length it is the recording, no sample left out and none twice', () => {
  const clock = virtualClock();
  const [wave] = loadWaves('icu_b01', ['ii']);
  if (!wave) throw new Error('no wave');
  const play = playWaves([wave], clock);
  const heard: number[] = [];
  const startMs = clock.monotonicMs();
  for (const ms of [500, 3, 1, 0, 497, 1_499, 7_777]) {
    clock.passSync(ms);
    for (const { samples, takenMonoMs } of play()) {
      expect(takenMonoMs - startMs).toBeCloseTo(heard.length * 8, 6);
      heard.push(...samples);
    }
  }
  expect(heard).toEqual([...wave.samples.subarray(0, Math.floor(10_277 / 8))]);
});

test('at its end it begins again', () => {
  const clock = virtualClock();
  const samples = Int16Array.of(1, 2, 3);
  const play = playWaves([{ metric: 'M', periodUs: 1_000_000, gain: 1, offset: 0, samples }], clock);
  clock.passSync(7_000);
  expect(play().map((wave) => [...wave.samples])).toEqual([[1, 2, 3, 1, 2, 3, 1]]);
});
