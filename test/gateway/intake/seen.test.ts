import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DeviceSeen, intervalBound, windowSize } from '../../../gateway/intake/seen.ts';

/** One message with its digest derived from its content. */
const digestOf = (content: number): [number, number] => [
  (content * 2_654_435_761) >>> 0,
  (content * 40_503) >>> 0,
];

describe('what a device sent already', () => {
  test('in any order of sending and re-sending each message is kept exactly once', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 400 }), (order) => {
        const seen = new DeviceSeen();
        const kept = new Set<number>();
        for (const seq of order) {
          const [high, low] = digestOf(seq);
          const entered = seen.enter('boot', seq, 1_000 + seq, high, low);
          expect(entered.kept).toBe(!kept.has(seq));
          kept.add(seq);
        }
      }),
    );
  });

  test('another content under a seq already taken is a boot id used twice, and kept under a name of its own', () => {
    const seen = new DeviceSeen();
    for (let seq = 0; seq < 10; seq++) seen.enter('b', seq, seq, ...digestOf(seq));
    const entered = seen.enter('b', 3, 500, ...digestOf(99));
    expect(entered).toMatchObject({ kept: true, boot: 'b-r1', reused: true });
    // What follows of the second use is new; what is re-sent of the first is not.
    expect(seen.enter('b', 4, 501, ...digestOf(98))).toMatchObject({ kept: true, boot: 'b-r1' });
    expect(seen.enter('b', 5, 5, ...digestOf(5))).toMatchObject({ kept: false });
    expect(seen.enter('b', 4, 501, ...digestOf(98))).toMatchObject({ kept: false });
  });

  test('a third use of the same boot id gets the next name', () => {
    const seen = new DeviceSeen();
    seen.enter('b', 1, 1, ...digestOf(1));
    seen.enter('b', 1, 2, ...digestOf(2));
    expect(seen.enter('b', 1, 3, ...digestOf(3))).toMatchObject({ boot: 'b-r2', reused: true });
    for (const content of [1, 2, 3])
      expect(seen.enter('b', 1, content, ...digestOf(content)).kept).toBe(false);
  });

  test('beyond the window an old re-send is a duplicate, and a newer time under an old seq is a re-used boot', () => {
    const seen = new DeviceSeen();
    const last = 3 * windowSize;
    for (let seq = 0; seq <= last; seq++) seen.enter('b', seq, 1_000_000 + seq * 1_000, ...digestOf(seq));
    expect(seen.enter('b', 5, 1_000_000 + 5_000, ...digestOf(5)).kept).toBe(false);
    const later = 1_000_000 + (last + 10) * 1_000;
    expect(seen.enter('b', 5, later, ...digestOf(7))).toMatchObject({ kept: true, boot: 'b-r1' });
  });

  test('more gaps than the bound throw out the oldest interval and say so', () => {
    const seen = new DeviceSeen();
    for (let gap = 0; gap < intervalBound; gap++) {
      expect(seen.enter('b', gap * 2, gap, ...digestOf(gap))).toMatchObject({ bounded: true });
    }
    expect(seen.enter('b', intervalBound * 2, 1, 1, 1)).toMatchObject({ kept: true, bounded: false });
  });
});
