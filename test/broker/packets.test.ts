import { describe, expect, test } from 'vitest';
import { filterMatches, isTopicFilter, isTopicName, suback } from '../../broker/packets.ts';

describe('a filter and a topic', () => {
  test.each([
    ['a/b', 'a/b', true],
    ['a/b', 'a/b/c', false],
    ['a/b/c', 'a/b', false],
    ['a/+', 'a/b', true],
    ['a/+', 'a/', true],
    ['a/+', 'a', false],
    ['a/+/c', 'a/b/c', true],
    ['+/+', '/a', true],
    ['+', '/a', false],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/#', 'ab', false],
    ['#', 'a/b', true],
    ['#', '$SYS/x', false],
    ['+/x', '$SYS/x', false],
    ['$SYS/#', '$SYS/x', true],
  ])('%s on %s: %s', (filter, topic, matches) => {
    expect(filterMatches(filter, topic)).toBe(matches);
  });
});

test('filters place their wildcards alone in a level, # in the last', () => {
  const good = ['a', '/', 'a//b', '+', '#', '+/#', 'a/+/b', '/+/', 'a/#'];
  const bad = ['', 'a#', '#/a', 'a/#/b', 'a+', '+a', 'a/b+/c', '##', '++'];
  expect(good.filter(isTopicFilter)).toEqual(good);
  expect(bad.filter(isTopicFilter)).toEqual([]);
  expect(['', 'a+', '#'].filter(isTopicName)).toEqual([]);
});

test('a SUBACK of more than 125 codes has a remaining length of two bytes', () => {
  const codes = Array.from({ length: 200 }, () => 1);
  expect(suback(258, codes).subarray(0, 6).toString('hex')).toBe('90ca01010201');
  expect(suback(1, codes)).toHaveLength(205);
});
