import { describe, expect, test } from 'vitest';
import { seededChance } from '../../simulators/chance.ts';
import { createMischief, type Message } from '../../simulators/mischief.ts';
import { virtualClock } from '../house/virtual-clock.ts';

const wire = (seed = 1) => {
  const clock = virtualClock();
  const mischief = createMischief({ clock, chance: seededChance(seed) });
  const bytes = mischief.bytes();
  let got = Buffer.alloc(0);
  bytes.on('data', (chunk: Buffer) => {
    got = Buffer.concat([got, chunk]);
  });
  return { clock, mischief, bytes, got: () => got };
};
const text = Buffer.from('the quick brown fox jumps over the lazy dog\r\n');
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('mischief on bytes', () => {
  test('absent, it changes nothing', async () => {
    const { bytes, got } = wire();
    bytes.write(text);
    await settle();
    expect(got()).toEqual(text);
  });

  test('cut: nothing comes, and comes again after its time', async () => {
    const { clock, mischief, bytes, got } = wire();
    const told: boolean[] = [];
    mischief.onCut((cut) => told.push(cut));
    mischief.begin('cut', { forMs: 1_000 });
    bytes.write('lost');
    clock.passSync(1_000);
    bytes.write('kept');
    await settle();
    expect(got().toString()).toBe('kept');
    expect(told).toEqual([true, false]);
  });

  test('delay: everything comes late and in order, and nothing overtakes it when it ends', async () => {
    const { clock, mischief, bytes, got } = wire();
    const end = mischief.begin('delay', { delayMs: 500 });
    bytes.write('a');
    clock.passSync(100);
    bytes.write('b');
    end();
    bytes.write('c');
    await settle();
    expect(got().toString()).toBe('');
    clock.passSync(600);
    await settle();
    expect(got().toString()).toBe('abc');
  });

  test('garble: some bits turn, the same with the same seed', async () => {
    const one = wire(3);
    const same = wire(3);
    const other = wire(4);
    for (const { mischief, bytes } of [one, same, other]) {
      mischief.begin('garble', { rate: 0.2 });
      bytes.write(text);
    }
    await settle();
    expect(one.got()).toHaveLength(text.length);
    expect(one.got()).not.toEqual(text);
    expect(one.got()).toEqual(same.got());
    expect(one.got()).not.toEqual(other.got());
  });

  test('repeat: everything comes again', async () => {
    const { mischief, bytes, got } = wire();
    mischief.begin('repeat', { times: 2 });
    bytes.write('ab');
    await settle();
    expect(got().toString()).toBe('ababab');
  });

  test('flood: rubbish comes beside the true bytes, until it ends', async () => {
    const { clock, mischief, bytes, got } = wire();
    const end = mischief.begin('flood', { perS: 100 });
    clock.passSync(1_000);
    end();
    bytes.write('true');
    clock.passSync(1_000);
    await settle();
    expect(got().length).toBeGreaterThan(100);
    expect(got().subarray(-4).toString()).toBe('true');
  });

  test('a flood on a wire nobody reads has a bound', () => {
    const clock = virtualClock();
    const mischief = createMischief({ clock, chance: seededChance(1) });
    const bytes = mischief.bytes();
    mischief.begin('flood', { perS: 100_000 });
    clock.passSync(2_000);
    expect(bytes.readableLength).toBeLessThan(1_100_000);
  });

  test('the same kind again replaces the first, and all end together', async () => {
    const { clock, mischief, bytes, got } = wire();
    mischief.begin('repeat', { times: 1, forMs: 1_000 });
    mischief.begin('repeat', { times: 3 });
    clock.passSync(2_000);
    bytes.write('a');
    mischief.endAll();
    bytes.write('b');
    await settle();
    expect(got().toString()).toBe('aaaab');
    expect(mischief.active('repeat')).toBe(false);
  });
});

test('mischief on messages keeps what a message carries beside its payload', () => {
  const clock = virtualClock();
  const mischief = createMischief({ clock, chance: seededChance(1) });
  const got: (Message & { seq?: number })[] = [];
  const send = mischief.messages<Message & { seq: number }>((message) => got.push(message));
  mischief.begin('garble', { rate: 1 });
  send({ payload: Buffer.from('{"a":1}'), seq: 4 });
  mischief.endAll();
  mischief.begin('repeat');
  send({ payload: Buffer.from('{"a":2}'), seq: 5 });
  expect(got.map(({ seq }) => seq)).toEqual([4, 5, 5]);
  expect(got[0]?.payload.toString()).not.toBe('{"a":1}');
  expect(got[1]?.payload.toString()).toBe('{"a":2}');
});
