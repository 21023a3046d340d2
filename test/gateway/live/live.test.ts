import { expect, test } from 'vitest';
import { createLive, type FrameKind, type LiveWatch } from '../../../gateway/live/live.ts';
import type { Alarm } from '../../../model/alarm.ts';
import { systemChance } from '../../../model/ids.ts';
import type { BedView, LatestValue, WatchMessage } from '../../../model/stream.ts';
import { virtualClock } from '../../house/virtual-clock.ts';
import { alarmOf } from './alarm-of.ts';

type Frame = WatchMessage & Record<string, unknown>;
const everything: LiveWatch = { beds: () => true, alarms: () => true, patients: true };

function hub(bedCount = 2, ringLimit?: number) {
  const clock = virtualClock();
  const values = new Map<string, LatestValue[]>();
  const alarms = new Map<string, Alarm>();
  const beds = Array.from({ length: bedCount }, (_, n) => ({
    id: `east-${n + 1}`,
    ward: 'east',
    label: `${n + 1}`,
  }));
  let views = 0;
  const view = (bed: string): BedView => {
    views++;
    return {
      bed,
      ward: 'east',
      label: bed,
      monitoring: 'on',
      patient: { id: 'p', name: 'Wang Fang', temporary: false },
      devices: [],
      values: values.get(bed) ?? [],
      limits: [],
    };
  };
  const live = createLive({
    clock,
    chance: systemChance(),
    demo: false,
    beds: () => beds,
    view,
    values: view,
    alarms: () => [...alarms.values()],
    ringLimit,
  });
  const set = (bed: string, metric: string, value: number): void => {
    const now = clock.nowMs();
    const rest = (values.get(bed) ?? []).filter((one) => one.metric !== metric);
    const one: LatestValue = {
      device: `device-${bed}`,
      metric,
      label: metric,
      unit: '1',
      decimals: 0,
      episodic: false,
      value,
      validity: 'valid',
      takenAtMs: now,
      receivedAtMs: now,
    };
    values.set(bed, [...rest, one]);
    live.valuesChanged(bed);
  };
  const ring = (alarm: Alarm): void => {
    alarms.set(alarm.id, alarm);
    live.alarmChanged(alarm);
  };
  const watch = (change: Partial<LiveWatch> = {}, room: (kind: FrameKind) => boolean = () => true) => {
    const frames: Frame[] = [];
    const subscription = live.subscribe({ ...everything, ...change }, (text, kind) => {
      if (!room(kind)) return false;
      frames.push(JSON.parse(text) as Frame);
      return true;
    });
    const of = (key: string): Frame[] => frames.filter((frame) => key in frame);
    return { ...subscription, frames, of };
  };
  return { clock, live, set, ring, watch, views: () => views };
}
const valuesIn = (frame: Frame) =>
  (frame.values as { values: LatestValue[] }).values.map((one) => [one.metric, one.value]);

test('an alarm is sent in the tick it rings, to every reader that may see it', () => {
  const { ring, watch } = hub();
  const one = watch();
  const other = watch({ alarms: (alarm) => alarm.bed === 'east-2' });
  ring(alarmOf('a', 'east-1'));
  expect(one.of('alarm')).toHaveLength(1);
  expect(other.of('alarm')).toHaveLength(0);
});

test('ten values of one series within a second are told as the newest one', async () => {
  const { clock, set, watch } = hub();
  const reader = watch();
  for (let n = 1; n <= 10; n++) set('east-1', 'HR', 70 + n);
  await clock.pass(100);
  expect(reader.of('values').map(valuesIn)).toEqual([[['HR', 80]]]);
});

test('a bed tells its values at most once a second, whatever its rate', async () => {
  const { clock, set, watch } = hub();
  const reader = watch();
  for (let tenth = 0; tenth < 100; tenth++) {
    set('east-1', 'HR', tenth);
    await clock.pass(100);
  }
  const times = reader.of('values').length;
  expect(times).toBeGreaterThanOrEqual(9);
  expect(times).toBeLessThanOrEqual(11);
});

test('only the series that changed are told', async () => {
  const { clock, set, watch } = hub();
  const reader = watch();
  set('east-1', 'HR', 70);
  set('east-1', 'SpO2', 97);
  await clock.pass(1_100);
  set('east-1', 'HR', 71);
  await clock.pass(1_100);
  expect(reader.of('values').map(valuesIn)).toEqual([
    [
      ['HR', 70],
      ['SpO2', 97],
    ],
    [['HR', 71]],
  ]);
});

test('sixty beds changed at once before twenty readers are told over several rounds, none left out', async () => {
  const { clock, set, live, watch } = hub(60);
  const readers = Array.from({ length: 20 }, () => watch());
  for (let n = 1; n <= 60; n++) {
    set(`east-${n}`, 'HR', n);
    if (n % 2 === 0) live.bedChanged(`east-${n}`);
  }
  const told = (n: number): number =>
    new Set(
      readers[n]?.frames.flatMap((frame) =>
        'bed' in frame || 'values' in frame ? [JSON.stringify(bedOf(frame))] : [],
      ),
    ).size;
  await clock.pass(100);
  expect(told(0)).toBeLessThan(60);
  await clock.pass(1_000);
  expect([told(0), told(19)]).toEqual([60, 60]);
});
const bedOf = (frame: Frame): unknown => ((frame.bed ?? frame.values) as { bed: string }).bed;

test('a reader without room is owed the newest values, not the ones it missed, and never misses an alarm', async () => {
  const { clock, set, ring, watch } = hub();
  let full = true;
  const slow = watch({}, (kind) => !(full && (kind === 'values' || kind === 'beat')));
  const quick = watch();
  for (let second = 1; second <= 5; second++) {
    set('east-1', 'HR', 70 + second);
    ring(alarmOf(`a${second}`, 'east-1'));
    await clock.pass(1_100);
  }
  expect(quick.of('values')).toHaveLength(5);
  expect(slow.of('values')).toHaveLength(0);
  expect(slow.of('alarm')).toHaveLength(5);
  full = false;
  await clock.pass(100);
  expect(slow.of('values').map(valuesIn)).toEqual([[['HR', 75]]]);
});

test('a beat every two seconds tells the gateway’s time', async () => {
  const { clock, watch } = hub();
  const reader = watch();
  await clock.pass(10_000);
  expect(reader.of('beat').map((frame) => (frame.beat as { nowMs: number }).nowMs - clock.nowMs())).toEqual([
    -8_000, -6_000, -4_000, -2_000, 0,
  ]);
});

test('nobody watching costs nothing: no view is made', async () => {
  const { clock, set, views, watch } = hub();
  const reader = watch();
  reader.close();
  const before = views();
  for (let n = 0; n < 1_000; n++) set('east-1', 'HR', n);
  await clock.pass(5_000);
  expect(views()).toBe(before);
});

test('a changed bed is told whole, without its patient to those who may not know', async () => {
  const { clock, live, watch } = hub();
  const nurse = watch();
  const engineer = watch({ patients: false });
  live.bedChanged('east-1');
  live.bedChanged('east-1');
  await clock.pass(100);
  expect(nurse.of('bed')).toMatchObject([{ bed: { bed: 'east-1', patient: { name: 'Wang Fang' } } }]);
  expect(engineer.of('bed')[0]?.bed).not.toHaveProperty('patient');
  expect(JSON.stringify(engineer.frames)).not.toContain('Wang');
});

test('alarms can be re-read from a seq for 24 hours, and after that a snapshot comes', async () => {
  const { clock, ring, watch } = hub();
  const reader = watch();
  ring(alarmOf('a', 'east-1'));
  const { epoch, seq } = reader.of('alarm')[0] as Frame;
  reader.close();
  ring(alarmOf('b', 'east-1'));
  await clock.pass(23.9 * 3_600_000);
  expect(watch({ from: { epoch, seq } }).of('alarm')).toMatchObject([{ alarm: { id: 'b' } }]);
  await clock.pass(0.2 * 3_600_000);
  const late = watch({ from: { epoch, seq } });
  expect(late.of('alarm')).toHaveLength(0);
  expect(late.of('snapshot')).toMatchObject([{ snapshot: { alarms: [{ id: 'a' }, { id: 'b' }] } }]);
});

test('a flood of alarm events drops the oldest of the ring, and whoever needs them gets a snapshot', () => {
  const { ring, watch } = hub(2, 3);
  const { epoch } = watch().of('snapshot')[0] as Frame;
  for (const id of ['a', 'b', 'c', 'd']) ring(alarmOf(id, 'east-1'));
  expect(watch({ from: { epoch, seq: 0 } }).of('snapshot')).toHaveLength(1);
  expect(watch({ from: { epoch, seq: 1 } }).of('alarm')).toHaveLength(3);
});

test('the hub knows what each screen last said of itself', async () => {
  const { clock, live, watch } = hub();
  const reader = watch();
  await clock.pass(1_000);
  const beat = { visible: true, wakeLock: true, audio: false, nowMs: 1 };
  reader.beat(beat);
  expect(live.readers()).toEqual([
    { sinceMs: clock.nowMs() - 1_000, lastBeat: beat, lastBeatAtMs: clock.nowMs() },
  ]);
});

test('seq grows with every frame a reader gets, and the epoch is another in every process', async () => {
  const first = hub();
  const reader = first.watch();
  first.ring(alarmOf('a', 'east-1'));
  first.set('east-1', 'HR', 1);
  await first.clock.pass(2_000);
  const seqs = reader.frames.map((frame) => frame.seq);
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  expect(new Set(seqs).size).toBe(seqs.length);
  expect(hub().watch().frames[0]?.epoch).not.toBe(reader.frames[0]?.epoch);
});
