import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import type { Emitted } from '../../../drivers/driver.ts';
import { draftMessages } from '../../../drivers/host/messages.ts';
import { AlertsSchema, ObservationsSchema, WaveformSchema } from '../../../model/wire.ts';

const now = 1_000_000;
const value = (metric: string, more: object = {}): Emitted =>
  ({ kind: 'observation', metric, value: 72, validity: 'valid', takenAtMs: now, ...more }) as Emitted;
const draft = (items: readonly Emitted[]) =>
  draftMessages(items, now).map(
    ({ branch, takenAtMs, body }) => ({ branch, takenAtMs, ...body }) as Record<string, unknown>,
  );

test('what one tick brings is one message, a plain number where nothing else is to say', () => {
  const [message, ...rest] = draft([
    value('a'),
    value('b', { channel: '2' }),
    value('c', { validity: 'questionable', mark: 'demo' }),
    value('d', { unit: 'Cel' }),
    value('e', { value: null, reason: 'sensor-off', validity: 'invalid', takenAtMs: now + 9 }),
    value('f', { value: undefined, text: 'SIMV' }),
    value('g', { takenAtMs: now - 60_000 }),
  ]);
  expect(rest).toEqual([]);
  expect(message).toMatchObject({
    branch: 'observations',
    takenAtMs: now,
    values: {
      a: 72,
      'b/2': 72,
      c: { value: 72, validity: 'questionable', reason: 'demo' },
      d: { value: 72, unit: 'Cel' },
      e: { value: null, reason: 'sensor-off' },
      f: { text: 'SIMV' },
      g: { value: 72, takenAtMs: now - 60_000 },
    },
  });
  expect(Value.Check(ObservationsSchema, { boot: 'b', seq: 0, ...message })).toBe(true);
});

test('a series twice in a tick opens another message', () => {
  expect(draft([value('a'), value('b'), value('a', { takenAtMs: now + 1 })])).toMatchObject([
    { values: { a: 72, b: 72 } },
    { values: { a: 72 }, takenAtMs: now + 1 },
  ]);
});

test('never more than 256 values stand in a message', () => {
  const sizes = draft(Array.from({ length: 600 }, (_, n) => value(`m-${n}`))).map(
    ({ values }) => Object.keys(values as object).length,
  );
  expect(sizes).toEqual([256, 256, 88]);
});

test('codes keep their system', () => {
  const [message] = draft([value('door', { value: undefined, code: 'open', system: 'device' })]);
  expect(message).toMatchObject({ values: { door: { code: 'open', system: 'device' } } });
});

test('waves are base64 of little-endian samples, cut where a packet would grow too large', () => {
  const samples = Int16Array.from({ length: 20_000 }, (_, n) => n - 10_000);
  const wave = { metric: 'w', takenAtMs: now, periodUs: 2_000, gain: 1, offset: 0, samples };
  const drafts = draft([{ kind: 'waveform', ...wave }]);
  expect(drafts).toHaveLength(2);
  expect(drafts[1]).toMatchObject({ branch: 'waveforms', takenAtMs: now + 16_384 * 2 });
  for (const message of drafts)
    expect(Value.Check(WaveformSchema, { boot: 'b', seq: 0, ...message })).toBe(true);
  const bytes = Buffer.concat(drafts.map((message) => Buffer.from(String(message['samples']), 'base64')));
  expect(bytes.readInt16LE(0)).toBe(-10_000);
  expect(bytes.readInt16LE(39_998)).toBe(9_999);
});

test('alerts are one message that says whether it is complete', () => {
  const alert = {
    alertId: 'a',
    code: 'c',
    text: 't',
    phase: 'start',
    priority: 'high',
    type: 'physiological',
  } as const;
  const [message] = draft([{ kind: 'alerts', alerts: [alert], complete: true }]);
  expect(message).toMatchObject({ branch: 'alerts', complete: true, alerts: [alert] });
  expect(Value.Check(AlertsSchema, { boot: 'b', seq: 0, ...message })).toBe(true);
});
