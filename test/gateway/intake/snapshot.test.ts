import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LiveDevice } from '../../../gateway/intake/live-device.ts';
import { packSeen, subtract, unpackSeen } from '../../../gateway/intake/snapshot.ts';

const counters = { received: 9, kept: 5, ledgered: 1, quarantined: 1, duplicate: 2 };

describe('the snapshot a segment opens with', () => {
  test('restores what was settled, and leaves what was not to be sent again', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(2_000)), fc.uniqueArray(fc.nat(2_000)), (seqs, other) => {
        const device = new LiveDevice('mon-1');
        for (const seq of seqs) device.seen.enter('b', seq, seq, seq + 1, seq + 2);
        const unsettled = seqs.filter((seq) => other.includes(seq));
        const body = packSeen(
          [device],
          counters,
          unsettled.map((seq) => ({ device: 'mon-1', boot: 'b', seq })),
        );
        const restored = new LiveDevice('mon-1');
        expect(unpackSeen(body, () => restored)).toEqual(counters);
        for (const seq of new Set([...seqs, ...other])) {
          const known = seqs.includes(seq) && !unsettled.includes(seq);
          expect([seq, restored.seen.enter('b', seq, seq, seq + 1, seq + 2).kept]).toEqual([seq, !known]);
        }
      }),
    );
  });

  test('a seq far below the newest is known after a start too, though the newest is left out', () => {
    const device = new LiveDevice('mon-1');
    for (const seq of [1_971, 1_460]) device.seen.enter('b', seq, seq, seq + 1, seq + 2);
    const restored = new LiveDevice('mon-1');
    unpackSeen(packSeen([device], counters, [{ device: 'mon-1', boot: 'b', seq: 1_971 }]), () => restored);
    expect(restored.seen.enter('b', 1_971, 1_971, 1_972, 1_973)).toMatchObject({ kept: true, boot: 'b' });
    expect(restored.seen.enter('b', 1_460, 1_460, 1_461, 1_462)).toEqual({ kept: false });
  });

  test('the digest window goes along: a boot used twice is still found after a start', () => {
    const device = new LiveDevice('mon-1');
    device.seen.enter('b', 1, 1, 10, 11);
    const restored = new LiveDevice('mon-1');
    unpackSeen(packSeen([device], counters, []), () => restored);
    expect(restored.seen.enter('b', 1, 1, 99, 98)).toMatchObject({ kept: true, reused: true });
  });

  test('seqs are taken out of intervals exactly', () => {
    expect(subtract([1, 5, 8, 8, 10, 12], [1, 3, 8, 12])).toEqual([2, 2, 4, 5, 10, 11]);
    expect(subtract([1, 2], [7, 0])).toEqual([1, 2]);
  });
});
