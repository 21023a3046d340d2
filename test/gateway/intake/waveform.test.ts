import { expect, test } from 'vitest';
import { waveBound } from '../../../gateway/intake/intake.ts';
import { blockSamples, readWaveform } from '../../../gateway/intake/waveform.ts';
import { openIntake } from './open-intake.ts';

const ecg = 'MDC_ECG_ELEC_POTL_II';
const hourMs = 3_600_000;
const base64 = (samples: readonly number[]): string =>
  Buffer.from(Int16Array.from(samples).buffer).toString('base64');
let seq = 0;
const block = (more: Record<string, unknown> = {}) => ({
  boot: 'b7f39e01c4d2a6f8',
  seq: ++seq,
  metric: ecg,
  takenAtMs: Date.now() - 1_000,
  periodUs: 4_000,
  gain: 0.005,
  offset: 0,
  samples: base64([1, -2, -32_768, 3]),
  ...more,
});

test('a block is read when it could be drawn, and only then', () => {
  expect([...(readWaveform(block())?.bytes ?? [])]).toEqual([1, 0, 254, 255, 0, 128, 3, 0]);
  expect(readWaveform(block({ samples: Buffer.alloc(blockSamples * 2).toString('base64') }))).toBeDefined();
  for (const bad of [
    { samples: Buffer.alloc(blockSamples * 2 + 2).toString('base64') },
    { samples: '' },
    { samples: 'AQID' },
    { samples: 'A_-=' },
    { samples: 7 },
    { gain: 0 },
    { gain: '1' },
    { offset: null },
    { periodUs: 99 },
    { periodUs: 10_000_001 },
    { takenAtMs: undefined },
    { metric: '' },
    { metric: 'A/B' },
    { metric: 'A B' },
    { boot: '' },
    { seq: -1 },
  ])
    expect([bad, readWaveform(block(bad))]).toEqual([bad, undefined]);
});

test('a block goes live in the tick it is taken, a duplicate and a historical one do not', async () => {
  const house = await openIntake();
  const sent = block();
  await house.publish('mon-1', sent, 'waveforms');
  await house.publish('mon-1', sent, 'waveforms');
  await house.publish('mon-1', block({ takenAtMs: Date.now() - hourMs, historical: true }), 'waveforms');
  expect(house.waves.map(({ device, metric, atMs }) => [device, metric, atMs])).toEqual([
    ['mon-1', ecg, sent.takenAtMs],
  ]);
  expect(house.counters).toMatchObject({ received: 3, kept: 2, duplicate: 1, quarantined: 0 });
  const { records } = await house.kept();
  expect(records.map(({ wave }) => wave)).toMatchObject([
    { atMs: sent.takenAtMs, marks: 0 },
    { metric: ecg },
  ]);
});

test('a clock without trust: the last sample was taken by now, marked; a told offset corrects', async () => {
  const house = await openIntake();
  const far = Date.now() - 30 * 24 * hourMs;
  const beginMs = Date.now();
  const second = base64(Array.from({ length: 251 }, () => 0));
  await house.publish('mon-1', block({ takenAtMs: far, samples: second }), 'waveforms');
  const untrusted = house.waves.at(-1);
  expect(untrusted?.marks).toBe(4);
  // The gateway's clock is anchored to monotonic time: some ms from Date.now.
  expect(untrusted?.atMs).toBeGreaterThanOrEqual(beginMs - 1_020);
  expect(untrusted?.atMs).toBeLessThanOrEqual(Date.now() - 980);

  const toldAtMs = Date.now();
  const birth = { boot: 'b7f39e01c4d2a6f8', seq: 0, link: 'birth', clockMs: far };
  await house.publish('mon-2', birth, 'state');
  const knownAtMs = Date.now();
  await house.publish('mon-2', block({ takenAtMs: far - 2_000 }), 'waveforms');
  const corrected = house.waves.at(-1);
  expect(corrected?.marks).toBe(0);
  expect(corrected?.atMs).toBeGreaterThanOrEqual(toldAtMs - 2_000);
  expect(corrected?.atMs).toBeLessThanOrEqual(knownAtMs - 2_000);
  await house.close();
});

test('waves of one device have a bound; what is beyond it is quarantined, the known ones go on', async () => {
  const house = await openIntake();
  for (let at = 0; at < waveBound + 3; at++)
    await house.publish('mon-1', block({ metric: `wave-${at}` }), 'waveforms');
  await house.publish('mon-1', block({ metric: 'wave-0' }), 'waveforms');
  expect(house.counters).toMatchObject({ kept: waveBound + 1, quarantined: 3 });
  await house.close();
});
