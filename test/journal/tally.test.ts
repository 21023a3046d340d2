// Goal: the counters behind a body read back as they were, and a body without them reads as before.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ObservationBatchBuilder,
  batchName,
  deviceName,
  readObservationBatch,
} from '../../journal/observation-batch.ts';
import { packRecords, readRecords } from '../../journal/record-batch.ts';
import { packTally, readTally, type Tally } from '../../journal/tally.ts';

const counters = { received: 1, kept: 1, ledgered: 0, quarantined: 0, duplicate: 0 };
const count = fc.nat({ max: 2 ** 31 });
const tallies: fc.Arbitrary<Tally> = fc.record({
  run: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  rows: fc.array(
    fc.record({
      device: fc.string({ unit: fc.constantFrom(...'abcdefghij0123456789-'), minLength: 1, maxLength: 64 }),
      hour: fc.integer({ min: 0, max: 1_000_000 }),
      received: count,
      duplicate: count,
      historical: count,
      quarantined: count,
    }),
    { maxLength: 40 },
  ),
});

test('counters behind observations and behind records read back as they were', () => {
  fc.assert(
    fc.property(tallies, fc.boolean(), (tally, withText) => {
      const tail = packTally(tally);
      const builder = new ObservationBatchBuilder();
      builder.message(deviceName('device-1', 'b'), 1, 5, 1, 2);
      builder.observation(batchName('MODE'), 5, 7, withText ? 12 : 0, 0);
      if (withText) builder.text('SIMV');
      const observations = builder.seal(counters, tail);
      expect(readTally(observations)).toEqual(tally);
      expect(readObservationBatch(observations)).toMatchObject({
        observations: 1,
        texts: withText ? ['SIMV'] : [],
      });
      const records = packRecords([{ head: { a: 1 }, payload: new Uint8Array([1, 2, 3]) }], tail);
      expect(readTally(records)).toEqual(tally);
      expect(readRecords(records)).toHaveLength(1);
    }),
  );
});

test('a body that carries none has none', () => {
  expect(readTally(packRecords([]))).toBeUndefined();
  expect(readTally(new Uint8Array())).toBeUndefined();
  expect(readTally(new Uint8Array(20).fill(255))).toBeUndefined();
});
