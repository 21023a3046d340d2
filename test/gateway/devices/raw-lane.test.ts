import { expect, test } from 'vitest';
import { RawLane, type ForeignHead } from '../../../gateway/devices/raw-lane.ts';
import { packRecords } from '../../../journal/record-batch.ts';
import type { Journal } from '../../../journal/types.ts';
import { systemClock } from '../../../model/clock.ts';
import { systemChance } from '../../../model/ids.ts';
import type { RawMessage } from '../../../model/wire.ts';
import type { Loss } from '../../../gateway/intake/ledger.ts';
import { virtualClock } from '../../house/virtual-clock.ts';
import { folderRoom, openRoom } from '../../journal/room.ts';

/** A lane on a real journal, its clock handed in; what it hands down is written to a list. */
function openLane(journal: Journal, clock = virtualClock(1_000_000)) {
  const told: (RawMessage & { host: string })[] = [];
  const lost: Loss[] = [];
  const up = new Set(['host-own', 'host-2']);
  const hosts = new Map([
    ['band-1', 'host-own'],
    ['band-2', 'host-2'],
  ]);
  const state = { recording: true };
  const lane = new RawLane({
    journal,
    clock,
    chance: systemChance(),
    publish: (topic, payload) =>
      void told.push({ ...(JSON.parse(payload) as RawMessage), host: topic.split('/')[2] ?? '' }),
    hostOf: (device) => hosts.get(device),
    hostUp: (host) => up.has(host),
    recording: () => state.recording,
    keep: (head: ForeignHead, { payload }, settled) => {
      const body = packRecords([{ head: { ...head }, payload }]);
      const atMs = head.receivedAtMs;
      journal.append('raw', body, { messages: 1, observations: 0, firstAtMs: atMs, lastAtMs: atMs }, () =>
        settled(),
      );
    },
    unread: (loss) => void lost.push(loss),
  });
  lane.serve('host-own');
  lane.serve('host-2');
  const send = (device: string, text: string): Promise<void> =>
    new Promise((confirmed) =>
      lane.take(
        { devices: new Set([device]), topic: 'home/x', payload: Buffer.from(text), confirmed: true },
        confirmed,
      ),
    );
  const texts = (): string[] => told.map(({ payload }) => Buffer.from(payload, 'base64').toString());
  return { lane, told, texts, lost, up, hosts, state, clock, send };
}

/** The journal has threads of its own: waits for what they bring. */
async function until(ready: () => boolean): Promise<void> {
  const clock = systemClock();
  for (let tries = 0; !ready(); tries++) {
    if (tries > 2_000) throw new Error('it never came');
    await new Promise<void>((resolve) => void clock.after(5, resolve));
  }
}

test('a message is handed down after it is confirmed, and is delivered when its host has kept what came of it', async () => {
  using folder = folderRoom();
  await using room = await openRoom(folder.folder);
  const { lane, told, texts, send } = openLane(room.journal);
  await send('band-1', 'a');
  await until(() => told.length === 1);
  expect(told[0]).toMatchObject({ host: 'host-own', device: 'band-1', boot: `raw-${room.journal.epoch}` });
  expect((await room.journal.stat()).sinks['raw-host-own']?.undeliveredBatches).toBe(1);
  lane.replied('host-own', { raw: told[0]?.number ?? -1, outcome: 'kept' });
  await send('band-1', 'b');
  await until(() => told.length === 2);
  lane.replied('host-own', { raw: told[1]?.number ?? -1, outcome: 'kept' });
  for (let left = 1; left > 0;)
    left = (await room.journal.stat()).sinks['raw-host-own']?.undeliveredBatches ?? 0;
  expect(texts()).toEqual(['a', 'b']);
  expect(told[1]?.number).toBeGreaterThan(told[0]?.number ?? Infinity);
  lane.close();
});

test('a host that was started anew is handed again what it has not kept, under the same numbers', async () => {
  using folder = folderRoom();
  await using room = await openRoom(folder.folder);
  const { lane, told, texts, send } = openLane(room.journal);
  lane.hostTold('host-own', 'boot-1');
  await send('band-1', 'a');
  await send('band-1', 'b');
  await until(() => told.length === 2);
  lane.replied('host-own', { raw: told[0]?.number ?? -1, outcome: 'kept' });
  lane.hostTold('host-own', 'boot-1');
  expect(told).toHaveLength(2);
  lane.hostTold('host-own', 'boot-2');
  expect(texts()).toEqual(['a', 'b', 'b']);
  expect(told[2]?.number).toBe(told[1]?.number);
  lane.close();
});

test('a host that is away keeps none but its own waiting', async () => {
  using folder = folderRoom();
  await using room = await openRoom(folder.folder);
  const { lane, told, texts, send, up } = openLane(room.journal);
  up.delete('host-2');
  for (let n = 0; n < 80; n++) {
    await send('band-2', `away ${n}`);
    await send('band-1', `here ${n}`);
  }
  const answer = (): void => {
    for (const { host, number } of told) lane.replied(host, { raw: number ?? -1, outcome: 'kept' });
  };
  await until(() => (answer(), told.length === 80));
  expect(texts().every((text) => text.startsWith('here'))).toBe(true);
  up.add('host-2');
  lane.again('host-2');
  await until(() => (answer(), told.length >= 160));
  const away = told
    .filter(({ host }) => host === 'host-2')
    .map(({ payload }) => Buffer.from(payload, 'base64').toString());
  expect([...new Set(away)]).toEqual(Array.from({ length: 80 }, (_, n) => `away ${n}`));
  lane.close();
});

test('a device whose driver is not open holds nobody up, and is given up to the ledger after a minute', async () => {
  using folder = folderRoom();
  await using room = await openRoom(folder.folder);
  const { lane, told, lost, send, hosts, clock } = openLane(room.journal);
  hosts.set('band-2', 'host-own');
  for (let n = 0; n < 80; n++) await send(n % 2 === 0 ? 'band-1' : 'band-2', `${n}`);
  const answer = (): void => {
    for (const { host, number, device } of told)
      lane.replied(host, { raw: number ?? -1, outcome: device === 'band-1' ? 'kept' : 'unread' });
  };
  const heard = (device: string): number =>
    new Set(told.filter((each) => each.device === device).map(({ number }) => number)).size;
  await until(() => (answer(), heard('band-1') === 40));
  expect(lost).toEqual([]);
  await until(() => (clock.passSync(1_000), lost.length === 40));
  expect(lost[0]).toMatchObject({ device: 'band-2', why: 'raw-unread' });
  lane.close();
});

test('what waited for a driver comes in its order once it is open, before what is newer', async () => {
  using folder = folderRoom();
  await using room = await openRoom(folder.folder);
  const { lane, told, texts, send, clock } = openLane(room.journal);
  const last = (): number => told.at(-1)?.number ?? -1;
  await send('band-1', 'a');
  await until(() => told.length === 1);
  lane.replied('host-own', { raw: last(), outcome: 'unread' });
  await send('band-1', 'b');
  await send('band-1', 'c');
  await clock.pass(1_000);
  expect(texts()).toEqual(['a', 'a']);
  lane.replied('host-own', { raw: last(), outcome: 'kept' });
  await until(() => told.length === 4);
  expect(texts()).toEqual(['a', 'a', 'b', 'c']);
  lane.close();
});

test('while nothing is recorded a message goes down at once without a number, and once only', async () => {
  using folder = folderRoom();
  await using room = await openRoom(folder.folder);
  const { lane, told, texts, send, state } = openLane(room.journal);
  state.recording = false;
  // The commit that was thought lost returns after all.
  const confirmed = send('band-1', 'a');
  expect(texts()).toEqual(['a']);
  expect(told[0]?.number).toBeUndefined();
  await confirmed;
  state.recording = true;
  await send('band-1', 'b');
  await until(() => told.length >= 2);
  expect(texts()).toEqual(['a', 'b']);
  lane.close();
});
