import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readObservationBatch } from '../../../../journal/observation-batch.ts';
import {
  decodeLabel,
  decodeText,
  encodeLabel,
  encodeText,
  labelInLine,
  textInLine,
} from '../../../../gateway/store/servers/names.ts';
import {
  bootSlot,
  MillisecondPlaces,
  nanoseconds,
  slotOf,
} from '../../../../gateway/store/servers/place-in-time.ts';
import { Points } from '../../../../gateway/store/servers/points.ts';
import { bodyOf, numberRow } from '../bodies.ts';

const anything = fc.string({ unit: fc.constantFrom(...'a,b=c d\n\r\t\\"\'%25u\u0000\u007f\u2028é') });

test('any name and any text come back from what stands for them', () => {
  fc.assert(fc.property(anything, (text) => decodeLabel(encodeLabel(text)) === text));
  fc.assert(fc.property(anything, (text) => decodeText(encodeText(text)) === text));
});

test('no name and no text can open a second line, label or field', () => {
  fc.assert(
    fc.property(anything, (text) => {
      const label = labelInLine(text);
      expect(label).not.toBe('');
      expect(label.replace(/\\[, =]/g, '')).not.toMatch(/[, =\n\r\\]/);
      expect(
        textInLine(text)
          .slice(1, -1)
          .replace(/\\["\\]/g, ''),
      ).not.toMatch(/["\n\r\\]/);
    }),
  );
});

test('metric codes stand as they are', () => {
  expect(labelInLine('MDC_ECG_HEART_RATE')).toBe('MDC_ECG_HEART_RATE');
  expect(textInLine('SIMV+PS')).toBe('"SIMV+PS"');
});

test('observations of one millisecond have places of their own, the same whenever they are sent', () => {
  const slot = (boot: string, seq: number): number => slotOf(bootSlot(boot), seq);
  expect(slot('b7f39e01', 7)).toBe(slot('b7f39e01', 7));
  const slots = new Set(Array.from({ length: 100_000 }, (_, seq) => slot('b7f39e01', seq)));
  expect(slots.size).toBe(100_000);
  expect(nanoseconds(1_763_740_800_000, 42)).toBe('1763740800000000042');
  expect(nanoseconds(0, 7)).toBe('7');
  expect(nanoseconds(-1, 999_999)).toBe('-1');
});

test('where there are only milliseconds, the later twin stands one later, and again where it stood', () => {
  const places = new MillisecondPlaces();
  expect(places.place('s', 1_000, 'b 1')).toBe(1_000);
  expect(places.place('s', 1_000, 'b 2')).toBe(1_001);
  expect(places.place('other', 1_000, 'b 2')).toBe(1_000);
  expect(places.place('s', 1_001, 'b 3')).toBe(1_002);
  expect(places.place('s', 1_000, 'b 2')).toBe(1_001);
  expect(places.place('s', 1_000, 'b 1')).toBe(1_000);
});

test('a line says what was observed and nothing of whom', () => {
  const row = { ...numberRow('mx-1', 'MDC_TEMP', 1_763_740_800_000, 36.8, 1_042), channel: '2' };
  const { value: _, ...bare } = row;
  const { body } = bodyOf([
    [
      row,
      { ...bare, metric: 'mode', channel: 'x', value: null, text: 'A "b"', reason: 'demo', historical: true },
    ],
  ]);
  const batch = readObservationBatch(body);
  const influx = new Points({ measurement: 'vigil', as: 'texts' }).of(batch);
  const place = String(slotOf(bootSlot('b1'), 1_042)).padStart(6, '0');
  expect([influx.line(0), influx.line(1)]).toEqual([
    `vigil,channel=2,device=mx-1,metric=MDC_TEMP value=36.8,validity="valid",boot="b1",seq=1042i,receivedAtMs=1763740800005i 1763740800000${place}`,
    `vigil,channel=x,device=mx-1,metric=mode text="A \\"b\\"",validity="valid",reason="demo",boot="b1",seq=1042i,receivedAtMs=1763740800005i,historical=true 1763740800000${place}`,
  ]);
  const numbers = new Points({ measurement: 'vigil', as: 'numbers' }).of(batch);
  expect([numbers.line(0), numbers.line(1)]).toEqual([
    'vigil,channel=2,device=mx-1,metric=MDC_TEMP value=36.8,validity=0,receivedAtMs=1763740800005 1763740800000\n' +
      'vigil,channel=2,device=mx-1,metric=MDC_TEMP,boot=b1 seq=1042 1763740800000',
    undefined,
  ]);
  expect(influx.origin(1)).toEqual({ device: 'mx-1', metric: 'mode/x', receivedAtMs: 1_763_740_800_005 });
});
