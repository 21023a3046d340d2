import fc from 'fast-check';
import Value from 'typebox/value';
import { expect, test } from 'vitest';
import { IdSchema, isId, systemChance } from '../../model/ids.ts';

test.each(['a', 'icu-3', '0', 'x'.repeat(64)])('%s may stand in a topic', (id) => {
  expect(isId(id)).toBe(true);
  expect(Value.Check(IdSchema, id)).toBe(true);
});

test.each(['', 'A', 'x'.repeat(65), 'a/b', 'a+', '#', 'a b', 'ä', 'a\n', 'a_b', 7, null, undefined])(
  '%j may not stand in a topic',
  (id) => {
    expect(isId(id)).toBe(false);
    expect(Value.Check(IdSchema, id)).toBe(false);
  },
);

test('schema and check agree on any text', () => {
  fc.assert(fc.property(fc.string(), (text) => isId(text) === Value.Check(IdSchema, text)));
});

test('an id is its prefix and 64 random bits, and is an id', () => {
  const chance = systemChance();
  const drawn = new Set(Array.from({ length: 1_000 }, () => chance.id('dev')));
  expect(drawn.size).toBe(1_000);
  for (const id of drawn) {
    expect(id).toMatch(/^dev-[0-9a-f]{16}$/);
    expect(isId(id)).toBe(true);
  }
});

test('hex gives as many bits as asked, fraction stays under 1', () => {
  const chance = systemChance();
  expect(chance.hex(256)).toMatch(/^[0-9a-f]{64}$/);
  for (let i = 0; i < 1_000; i++) {
    const fraction = chance.fraction();
    expect(fraction).toBeGreaterThanOrEqual(0);
    expect(fraction).toBeLessThan(1);
  }
});
