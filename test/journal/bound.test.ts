// Goal: when room is short, what matters most goes last, and whatever goes undelivered is told by device and time.
// Way: real journals with small bounds and a sink that takes nothing; the order of what was told is the order it went in.
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  batchName,
  deviceName,
  kinds,
  ObservationBatchBuilder,
  packFlags,
} from '../../journal/observation-batch.ts';
import { packRecords } from '../../journal/record-batch.ts';
import {
  givenUpOrder,
  journalClasses,
  type Journal,
  type JournalClass,
  type JournalLoss,
} from '../../journal/types.ts';
import { append, factsOf, folderRoom, openRoom, sinkRoom, until } from './room.ts';

const options = { segmentBytes: 16_384, maxBytes: 262_144 };
const mute = (journal: Journal, id = 'mute') =>
  sinkRoom(journal, { id, classes: journalClasses, window: { batches: 1, bytes: 1 << 20 } }, 'nothing');

/** Batches of 2 kB each, one a second from `fromS` on. */
async function fill(journal: Journal, klass: JournalClass, count: number, fromS = 0): Promise<void> {
  for (let at = 0; at < count; at++) {
    const facts = factsOf(1, (fromS + at) * 1_000);
    await append(journal, klass, `${klass} ${fromS + at}`, { length: 2_000, facts });
  }
}
const settled = async (journal: Journal): Promise<void> =>
  until(async () => (await journal.stat()).fullest.share <= 1);
/** Each class once for every turn it had: `waveforms thinned`, `waveforms bound`, … */
const turns = (losses: readonly JournalLoss[]): string[] =>
  losses.map(({ klass, why }) => `${klass} ${why}`).filter((turn, at, all) => turn !== all[at - 1]);

test('waveforms are thinned, then go; then raw, then numerics, and what is alarm-relevant goes last', async () => {
  using room = folderRoom();
  await using open = await openRoom(room.folder, options);
  mute(open.journal);
  for (const klass of journalClasses) await fill(open.journal, klass, 22);
  await fill(open.journal, 'alarm', 120, 100);
  await settled(open.journal);
  expect(turns(open.losses)).toEqual([
    'waveforms thinned',
    'waveforms bound',
    'raw bound',
    'numerics bound',
    'alarm bound',
  ]);
  expect(open.losses.every(({ sinks }) => sinks.join() === 'mute')).toBe(true);
  // Within a class the oldest first.
  for (const klass of givenUpOrder) {
    const went = open.losses.filter((loss) => loss.klass === klass && loss.why === 'bound');
    const firsts = went.map(({ fromNumber }) => fromNumber);
    expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
  }
});

test('of thinned waveforms every second stretch of ten seconds is whole, and the rest is told exactly', async () => {
  using room = folderRoom();
  const told: JournalLoss[] = [];
  {
    await using open = await openRoom(room.folder, options);
    mute(open.journal);
    await fill(open.journal, 'waveforms', 60);
    await fill(open.journal, 'numerics', 70);
    await settled(open.journal);
    told.push(...open.losses);
    expect(turns(told)).toEqual(['waveforms thinned']);
  }
  await using open = await openRoom(room.folder, options);
  expect(open.journal.found).toMatchObject({ clean: true, damage: [], faults: [] });
  const sink = sinkRoom(open.journal, { id: 'mute', classes: ['waveforms'] });
  const gone = new Set(
    told.flatMap(({ fromNumber, toNumber, messages, observations }) => {
      expect(messages).toBe(toNumber - fromNumber);
      expect(observations).toBe(6 * messages);
      return Array.from({ length: toNumber - fromNumber }, (_, at) => fromNumber + at);
    }),
  );
  await sink.reached(60 - gone.size);
  const left = sink.batches.map(({ number }) => number);
  expect(left).toEqual(Array.from({ length: 60 }, (_, number) => number).filter((one) => !gone.has(one)));
  expect([...gone].every((number) => Math.floor(number / 10) % 2 === 1)).toBe(true);
  expect(gone.size).toBeGreaterThan(5);
});

test('a crash between the record of a thinning and the new file brings back nothing that was told as lost', async () => {
  using room = folderRoom();
  using before = folderRoom();
  let gone = 0;
  {
    await using open = await openRoom(room.folder, options);
    mute(open.journal);
    await fill(open.journal, 'waveforms', 60);
    const waves = readdirSync(room.folder).filter((file) => file.startsWith('waveforms-'));
    for (const file of waves) copyFileSync(join(room.folder, file), join(before.folder, file));
    await fill(open.journal, 'numerics', 60);
    await settled(open.journal);
    gone = open.losses.reduce((sum, loss) => sum + loss.messages, 0);
  }
  for (const file of readdirSync(before.folder)) {
    writeFileSync(join(room.folder, `${file}.thinned`), 'half');
    const old = readFileSync(join(before.folder, file));
    const now = readFileSync(join(room.folder, file));
    if (old.length > now.length) writeFileSync(join(room.folder, file), old);
  }
  await using open = await openRoom(room.folder, options);
  expect(open.journal.found).toMatchObject({ damage: [], faults: [] });
  const sink = sinkRoom(open.journal, { id: 'mute', classes: ['waveforms'] });
  await sink.reached(60 - gone);
  await until(async () => (await open.journal.stat()).sinks.mute?.undeliveredBatches === 0);
  expect(sink.batches).toHaveLength(60 - gone);
  expect(readdirSync(room.folder).filter((file) => file.endsWith('.thinned'))).toEqual([]);
});

test('a class that reaches its own bound touches no other', async () => {
  using room = folderRoom();
  await using open = await openRoom(room.folder, {
    segmentBytes: 16_384,
    maxBytes: 1 << 20,
    classBytes: { raw: 65_536 },
  });
  mute(open.journal);
  await fill(open.journal, 'waveforms', 20);
  await fill(open.journal, 'raw', 100);
  await settled(open.journal);
  expect(turns(open.losses)).toEqual(['raw bound']);
  const { classes, fullest } = await open.journal.stat();
  expect(classes.raw.bytes).toBeLessThanOrEqual(65_536);
  expect(classes.waveforms.oldestNumber).toBe(0);
  expect(fullest.of).toBe('raw');
});

test('what one sink has and another has not is told for the other alone', async () => {
  using room = folderRoom();
  await using open = await openRoom(room.folder, options);
  mute(open.journal);
  const quick = sinkRoom(open.journal, { id: 'quick', classes: ['numerics'] });
  await fill(open.journal, 'numerics', 150);
  await quick.reached(150);
  await settled(open.journal);
  expect(open.losses.length).toBeGreaterThan(0);
  expect(open.losses.every(({ sinks }) => sinks.join() === 'mute')).toBe(true);
});

test('whatever goes names its devices, hours and counts', async () => {
  using room = folderRoom();
  await using open = await openRoom(room.folder, options);
  mute(open.journal);
  const hour = 3_600_000;
  const builder = new ObservationBatchBuilder();
  const key = batchName('MDC_ECG_HEART_RATE');
  for (const [device, atMs, historical] of [
    ['monitor-1', hour - 1, false],
    ['monitor-1', hour + 5, true],
    ['monitor-2', hour + 9, false],
  ] as const) {
    builder.message(deviceName(device, 'boot'), atMs, atMs, 1, 2);
    const flags = packFlags('valid', kinds.number, historical, false);
    builder.observation(key, atMs, 72, flags, 0);
    builder.observation(key, atMs, 73, flags, 0);
  }
  const { messages, observations, firstAtMs, lastAtMs } = builder;
  const body = builder.seal({ received: 6, kept: 6, ledgered: 0, quarantined: 0, duplicate: 0 });
  const facts = { messages, observations, firstAtMs, lastAtMs };
  await new Promise<void>((done) => open.journal.append('numerics', body, facts, () => done()));
  const head = { device: 'monitor-3', receivedAtMs: 2 * hour, observations: 4 };
  const alerts = packRecords([{ head, payload: Buffer.from('{}') }]);
  const alertFacts = { messages: 1, observations: 4, firstAtMs: 2 * hour, lastAtMs: 2 * hour };
  await new Promise<void>((done) => open.journal.append('alarm', alerts, alertFacts, () => done()));
  await fill(open.journal, 'numerics', 150, 10_800);
  await fill(open.journal, 'alarm', 250, 10_800);
  await settled(open.journal);
  const named = open.losses.flatMap(({ devices = [] }) => devices);
  expect(named).toEqual([
    {
      device: 'monitor-1',
      hour: 0,
      messages: 1,
      observations: 2,
      historical: 0,
      firstAtMs: hour - 1,
      lastAtMs: hour - 1,
    },
    {
      device: 'monitor-1',
      hour: 1,
      messages: 1,
      observations: 2,
      historical: 2,
      firstAtMs: hour + 5,
      lastAtMs: hour + 5,
    },
    {
      device: 'monitor-2',
      hour: 1,
      messages: 1,
      observations: 2,
      historical: 0,
      firstAtMs: hour + 9,
      lastAtMs: hour + 9,
    },
    {
      device: 'monitor-3',
      hour: 2,
      messages: 1,
      observations: 4,
      historical: 0,
      firstAtMs: 2 * hour,
      lastAtMs: 2 * hour,
    },
  ]);
});
