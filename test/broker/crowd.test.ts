import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { createBans } from '../../broker/bans.ts';
import { createCrowd } from '../../broker/crowd.ts';
import { brokerLimits, type BrokerLimits } from '../../broker/limits.ts';
import { plainName, type Refusal } from '../../broker/refusals.ts';
import { virtualClock } from '../house/virtual-clock.ts';

function openCrowd(limits: Partial<BrokerLimits> = {}) {
  const clock = virtualClock();
  const all = { ...brokerLimits, ...limits };
  const bans = createBans({
    clock,
    perMinute: all.connectsPerMinute,
    banMs: all.banMs,
    most: all.rememberedClients,
  });
  const noted: Refusal[] = [];
  const crowd = createCrowd({ limits: all, clock, bans, note: (refusal) => void noted.push(refusal) });
  const codes = () => noted.map(({ fault }) => fault.code);
  return { clock, bans, crowd, codes, enter: (address: string) => crowd.enter(new PassThrough(), address) };
}

test('an address whose connections keep failing is banned as a whole', () => {
  const { crowd, enter, codes, clock } = openCrowd();
  for (let round = 0; round < 16; round++) crowd.misbehaved('10.0.0.9');
  expect(enter('10.0.0.9')).toBeUndefined();
  expect(enter('10.0.0.8')).toBeDefined();
  expect(codes()).toEqual(['DOOR_BANNED']);
  clock.passSync(300_000);
  expect(enter('10.0.0.9')).toBeDefined();
});

test('an address that somebody signed in from is shared: one sender cannot lock the others out', () => {
  const { crowd, enter } = openCrowd();
  const socket = new PassThrough();
  crowd.enter(socket, '10.0.0.1')?.signedIn();
  for (let round = 0; round < 16; round++) crowd.misbehaved('10.0.0.1');
  expect(enter('10.0.0.1')).toBeDefined();
});

test('this machine itself is never banned as a whole', () => {
  const { crowd, enter } = openCrowd();
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
    for (let round = 0; round < 16; round++) crowd.misbehaved(address);
    expect(enter(address)).toBeDefined();
  }
});

test('those that wait are bounded over all addresses, the oldest yields', async () => {
  const { crowd, enter, codes } = openCrowd({ waiting: 2 });
  const oldest = new PassThrough();
  crowd.enter(oldest, '10.0.0.1');
  enter('10.0.0.2');
  enter('10.0.0.3');
  expect(oldest.destroyed).toBe(true);
  expect(codes()).toEqual(['DOOR_TOO_MANY']);
  expect(crowd.counts().waiting).toBe(2);
});

test('bans forget whom they have not heard of for longest', () => {
  const { bans } = openCrowd({ rememberedClients: 2, connectsPerMinute: 1 });
  for (const key of ['a', 'a', 'b', 'c']) bans.count(key);
  expect(bans.isBanned('a')).toBe(false);
  expect(bans.size()).toBe(0);
});

test('a count starts anew after a minute, and a banned one is counted no further', () => {
  const { bans, clock } = openCrowd({ connectsPerMinute: 2 });
  expect([bans.count('a'), bans.count('a')]).toEqual([false, false]);
  clock.passSync(60_000);
  expect([bans.count('a'), bans.count('a'), bans.count('a'), bans.count('a')]).toEqual([
    false,
    false,
    true,
    true,
  ]);
  expect(bans.size()).toBe(1);
  clock.passSync(299_999);
  expect(bans.isBanned('a')).toBe(true);
  clock.passSync(1);
  expect([bans.isBanned('a'), bans.count('a')]).toEqual([false, false]);
});

test('a name from the wire is short and plain in the log', () => {
  expect(plainName('a\u202eb\n\u{1f600}')).toBe('a\\u{202e}b\\u{a}\\u{d83d}\\u{de00}');
  expect(plainName('x'.repeat(1_000))).toHaveLength(128);
});
