import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  batchName,
  deviceName,
  flagsHistorical,
  flagsKind,
  flagsUnplaced,
  flagsValidity,
  isObservationBatch,
  kinds,
  ObservationBatchBuilder,
  packFlags,
  packReason,
  readObservationBatch,
  unpackReason,
} from '../../journal/observation-batch.ts';
import { isRecordBatch, packRecords, readRecords } from '../../journal/record-batch.ts';
import { reasons, validities } from '../../model/observation.ts';

const counters = { received: 1e15, kept: 2, ledgered: 3, quarantined: 4, duplicate: 5 };

const anyObservation = fc.record({
  key: fc.nat({ max: 5 }),
  takenAtMs: fc.double({ noNaN: true }),
  seen: fc.oneof(
    fc.record({ kind: fc.constant('number' as const), value: fc.double() }),
    fc.record({ kind: fc.constant('none' as const) }),
    fc.record({ kind: fc.constant('text' as const), text: fc.string({ unit: 'binary' }) }),
    fc.record({ kind: fc.constant('code' as const), text: fc.tuple(fc.string(), fc.string()) }),
  ),
  validity: fc.constantFrom(...validities),
  reason: fc.option(fc.constantFrom(...reasons), { nil: undefined }),
  historical: fc.boolean(),
  unplaced: fc.boolean(),
});
const anyMessage = fc.record({
  device: fc.nat({ max: 3 }),
  seq: fc.nat(),
  receivedAtMs: fc.nat(),
  digest: fc.tuple(fc.nat(), fc.nat()),
  observations: fc.array(anyObservation, { maxLength: 6 }),
});

test('observations come back as they were put in, from a builder used again and again', () => {
  const builder = new ObservationBatchBuilder();
  const names = ['bed-1', 'bed-2', 'bed-3', 'bed-4'];
  const words = ['MDC_TEMP', 'MDC_TEMP/2', '\ufeffbyte order', '心率', '', 'x'.repeat(300)];
  const devices = names.map((name) => deviceName(name, `boot of ${name}`));
  const keys = words.map(batchName);
  fc.assert(
    fc.property(fc.array(anyMessage, { maxLength: 8 }), fc.nat({ max: 7 }), (messages, shift) => {
      for (const { device, seq, receivedAtMs, digest, observations } of messages) {
        builder.message(devices[device] ?? deviceName('', ''), seq, receivedAtMs, ...digest);
        for (const { key, takenAtMs, seen, validity, reason, historical, unplaced } of observations) {
          const flags = packFlags(validity, kinds[seen.kind], historical, unplaced);
          const value = seen.kind === 'number' ? seen.value : 0;
          builder.observation(keys[key] ?? batchName(''), takenAtMs, value, flags, packReason(reason));
          if ('text' in seen) builder.text(seen.text);
        }
      }
      const count = messages.reduce((sum, { observations }) => sum + observations.length, 0);
      expect([builder.messages, builder.observations]).toEqual([messages.length, count]);
      if (messages.length > 0) {
        const times = messages.map(({ receivedAtMs }) => receivedAtMs);
        expect([builder.firstAtMs, builder.lastAtMs]).toEqual([Math.min(...times), Math.max(...times)]);
      }
      const sealed = builder.seal(counters);
      // Bodies are read where they lie, also at an odd place of a larger buffer.
      const body = Buffer.alloc(sealed.length + shift).subarray(shift);
      body.set(sealed);
      const read = readObservationBatch(body);
      expect(isObservationBatch(body)).toBe(true);
      expect(read.counters).toEqual(counters);

      const texts = read.texts.values();
      let at = 0;
      for (const [index, message] of messages.entries()) {
        expect(read.devices[read.deviceIndex[index] ?? 0]).toEqual({
          device: names[message.device],
          boot: `boot of ${names[message.device]}`,
        });
        expect([read.seq[index], read.receivedAtMs[index]]).toEqual([message.seq, message.receivedAtMs]);
        expect([...read.digest.subarray(2 * index, 2 * index + 2)]).toEqual(message.digest);
        expect(read.count[index]).toBe(message.observations.length);
        for (const observation of message.observations) {
          const { seen } = observation;
          const flags = read.flags[at] ?? 0;
          expect(read.keys[read.keyIndex[at] ?? 0]).toBe(words[observation.key]);
          expect(read.takenAtMs[at]).toBe(observation.takenAtMs);
          expect(flagsKind(flags)).toBe(kinds[seen.kind]);
          expect(flagsValidity(flags)).toBe(observation.validity);
          expect([flagsHistorical(flags), flagsUnplaced(flags)]).toEqual([
            observation.historical,
            observation.unplaced,
          ]);
          expect(unpackReason(read.reason[at] ?? 0)).toBe(observation.reason);
          if (seen.kind === 'number') expect(read.value[at]).toBe(seen.value);
          if ('text' in seen) expect(texts.next().value).toEqual(seen.text);
          at++;
        }
      }
      expect(at).toBe(read.observations);
    }),
  );
});

test('a batch grows past its first arrays and says when it is full', () => {
  const builder = new ObservationBatchBuilder();
  const key = batchName('MDC_TEMP');
  for (let device = 0; device < 60_001; device++) {
    builder.message(deviceName(`d${device}`, 'b'), device, 1, 2, 3);
    builder.observation(key, device, device / 2, 0, 0);
  }
  expect(builder.full).toBe(true);
  const read = readObservationBatch(builder.seal(counters));
  expect(builder.full).toBe(false);
  expect([read.messages, read.observations]).toEqual([60_001, 60_001]);
  expect([read.seq[60_000], read.value[60_000], read.deviceIndex[60_000]]).toEqual([60_000, 30_000, 60_000]);
});

test('what is no batch is refused', () => {
  expect(() => readObservationBatch(new Uint8Array(100))).toThrow(RangeError);
  expect(() => readRecords(new Uint8Array(100))).toThrow(RangeError);
  expect(isObservationBatch(new Uint8Array(3))).toBe(false);
  expect(isRecordBatch(new Uint8Array(3))).toBe(false);
});

test('records come back with their heads and their bytes as they were', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ head: fc.dictionary(fc.string(), fc.jsonValue()), payload: fc.uint8Array() })),
      (records) => {
        const body = packRecords(records);
        expect(isRecordBatch(body)).toBe(true);
        expect(isObservationBatch(body)).toBe(false);
        const read = readRecords(body);
        expect(read.map(({ head }) => JSON.stringify(head))).toEqual(
          records.map(({ head }) => JSON.stringify(head)),
        );
        expect(read.map(({ payload }) => [...payload])).toEqual(records.map(({ payload }) => [...payload]));
      },
    ),
  );
});
