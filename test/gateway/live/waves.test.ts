import { expect, test } from 'vitest';
import { createLiveWaves } from '../../../gateway/live/waves.ts';
import type { WaveHead } from '../../../gateway/intake/wave-head.ts';
import { readWaveFrame, type WaveFrame } from '../../../model/wave-frame.ts';
import { virtualClock } from '../../house/virtual-clock.ts';

const ecg = 'MDC_ECG_ELEC_POTL_II';
const pleth = 'MDC_PULS_OXIM_PLETH';
const head = (metric: string, atMs: number): WaveHead => ({
  metric,
  atMs,
  periodUs: 4_000,
  gain: 0.005,
  offset: 0,
  marks: 0,
});
const bytes = new Uint8Array(Int16Array.from({ length: 25 }, (_, at) => at).buffer);

function openWaves() {
  const clock = virtualClock();
  const beds = new Map([
    ['3-12', { id: '3-12', ward: 'north', label: '12' }],
    ['4-1', { id: '4-1', ward: 'south', label: '1' }],
  ]);
  const waves = createLiveWaves({
    clock,
    bed: (bed) => beds.get(bed),
    bedOf: (device) => ({ 'mon-1': '3-12', 'mon-2': '4-1' })[device],
  });
  const reader = (ward: string) => {
    const frames: WaveFrame[] = [];
    const state = { room: true };
    const subscription = waves.subscribe(
      (bed) => bed.ward === ward,
      (frame) => {
        const read = readWaveFrame(frame);
        if (state.room && read) frames.push(read);
        return state.room;
      },
    );
    return { frames, state, ...subscription };
  };
  return { clock, beds, waves, reader };
}

test('what came within a round is one frame of the bed, only of the metrics asked for', () => {
  const { clock, waves, reader } = openWaves();
  const one = reader('north');
  one.ask([{ bed: '3-12', metrics: [ecg] }]);
  const all = reader('north');
  all.ask([{ bed: '3-12' }]);
  waves.taken('mon-1', head(ecg, 1_000), bytes);
  waves.taken('mon-1', head(pleth, 1_000), bytes);
  waves.taken('mon-1', head(ecg, 1_100), bytes);
  expect(one.frames).toEqual([]);
  clock.passSync(250);
  expect(one.frames.map(({ bed, blocks }) => [bed, blocks.map(({ takenAtMs }) => takenAtMs)])).toEqual([
    ['3-12', [1_000, 1_100]],
  ]);
  expect(all.frames[0]?.blocks.map(({ metric }) => metric)).toEqual([ecg, pleth, ecg]);
  expect([...(one.frames[0]?.blocks[0]?.samples ?? [])]).toEqual([...new Int16Array(bytes.buffer)]);
});

test('nobody sees the waves of a bed that is not in sight, even when it moves while they watch', () => {
  const { clock, beds, waves, reader } = openWaves();
  const north = reader('north');
  north.ask([{ bed: '3-12' }, { bed: '4-1' }, { bed: 'none' }]);
  waves.taken('mon-2', head(ecg, 1_000), bytes);
  waves.taken('mon-1', head(ecg, 1_000), bytes);
  clock.passSync(250);
  expect(north.frames.map(({ bed }) => bed)).toEqual(['3-12']);
  beds.set('3-12', { id: '3-12', ward: 'south', label: '12' });
  waves.taken('mon-1', head(ecg, 2_000), bytes);
  clock.passSync(250);
  expect(north.frames).toHaveLength(1);
});

test('who has no room misses its frames, the others do not', () => {
  const { clock, waves, reader } = openWaves();
  const [slow, quick] = [reader('north'), reader('north')];
  for (const one of [slow, quick]) one.ask([{ bed: '3-12' }]);
  slow.state.room = false;
  waves.taken('mon-1', head(ecg, 1_000), bytes);
  clock.passSync(250);
  slow.state.room = true;
  waves.taken('mon-1', head(ecg, 2_000), bytes);
  clock.passSync(250);
  expect(quick.frames).toHaveLength(2);
  expect(slow.frames.map(({ blocks }) => blocks[0]?.takenAtMs)).toEqual([2_000]);
  expect(waves.dropped).toBe(1);
});

test('asked anew the old ones end; when nobody draws, nothing runs', () => {
  const { clock, waves, reader } = openWaves();
  const one = reader('north');
  one.ask([{ bed: '3-12' }]);
  one.ask([]);
  waves.taken('mon-1', head(ecg, 1_000), bytes);
  clock.passSync(1_000);
  expect(one.frames).toEqual([]);
  one.ask([{ bed: '3-12' }]);
  one.close();
  waves.taken('mon-1', head(ecg, 1_000), bytes);
  clock.passSync(1_000);
  expect(one.frames).toEqual([]);
});
