import { describe, expect, test } from 'vitest';
import { notYetLasting, type Loss } from '../../../gateway/intake/ledger.ts';

const loss: Loss = {
  device: 'mon-1',
  metric: 'MDC_TEMP',
  fromMs: 1_000,
  toMs: 5_000,
  observations: 40,
  why: 'unrecorded',
};

describe('what the lasting ledger does not hold yet', () => {
  test('is all of a loss it has never heard of', () => {
    const others = [
      { ...loss, device: 'mon-2' },
      { ...loss, why: 'unclean-stop' },
      { ...loss, fromMs: 100, toMs: 900 },
    ];
    expect(notYetLasting([loss], others)).toEqual([loss]);
  });

  test('is nothing of a loss that arrived though its write was given up', () => {
    expect(notYetLasting([loss], [loss])).toEqual([]);
  });

  test('is the rest of a loss that has grown since', () => {
    const first = { ...loss, toMs: 3_000, observations: 25 };
    expect(notYetLasting([loss], [first])).toEqual([{ ...loss, fromMs: 3_000, observations: 15 }]);
    expect(notYetLasting([loss], [first, { ...loss, fromMs: 3_000, observations: 15 }])).toEqual([]);
  });

  test('is a span in doubt that nobody can count, once', () => {
    const doubt: Loss = { ...loss, metric: '*', observations: 0, why: 'unclean-stop' };
    expect(notYetLasting([doubt], [])).toEqual([doubt]);
    expect(notYetLasting([doubt], [doubt])).toEqual([]);
  });
});
