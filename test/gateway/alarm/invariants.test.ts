import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anna, openWard, SPO2, type AlarmHouse } from '../../house/alarm-house.ts';
import { episodes, type Episode, type OracleLimit, type OracleSample } from './oracle.ts';

const bandLow = (value: number): OracleLimit => ({
  direction: 'low',
  value,
  delayMs: 10_000,
  hysteresis: 2,
  maxGapMs: 10_000,
  span: [0, 100],
});
const bands = [
  { priority: 'medium', limit: bandLow(90) },
  { priority: 'high', limit: bandLow(85) },
] as const;

/** A course of seconds: stretches of one value, with now and then a doubtful or a missing one. */
const course = fc
  .array(
    fc.record({
      seconds: fc.integer({ min: 1, max: 25 }),
      value: fc.constantFrom(97, 92, 91, 90, 89, 87, 86, 84, 80),
      kind: fc.constantFrom('valid', 'valid', 'valid', 'valid', 'questionable', 'missing', 'invalid'),
    }),
    { minLength: 1, maxLength: 16 },
  )
  .map((stretches) => stretches.flatMap(({ seconds, ...one }) => Array.from({ length: seconds }, () => one)));

const covers = (found: readonly Episode[], atMs: number): boolean =>
  found.some((one) => one.raisedAt <= atMs && (one.clearedAt === null || atMs < one.clearedAt));

const say = (ward: AlarmHouse, one: { value: number; kind: string }): void => {
  if (one.kind === 'missing') ward.say('mon-1', { [SPO2]: { value: null, reason: 'sensor-off' } });
  else if (one.kind === 'invalid') ward.say('mon-1', { [SPO2]: { value: 140, validity: 'invalid' } });
  else
    ward.say('mon-1', {
      [SPO2]: { value: one.value, validity: one.kind === 'valid' ? 'valid' : 'questionable' },
    });
};

describe('over random courses', () => {
  test('an alarm is present exactly while a band is, with the priority of the highest, and one at most', async () => {
    await fc.assert(
      fc.asyncProperty(course, async (seconds) => {
        const ward = await openWard();
        const startMs = ward.clock.nowMs();
        const heard: OracleSample[] = [];
        for (const [index, one] of seconds.entries()) {
          if (one.kind === 'valid' || one.kind === 'questionable') {
            heard.push({
              atMs: startMs + index * 1_000,
              value: one.value,
              questionable: one.kind === 'questionable',
            });
          }
        }
        const found = bands.map((band) => ({
          priority: band.priority,
          episodes: episodes(band.limit, heard),
        }));
        for (const one of seconds) {
          const nowMs = ward.clock.nowMs();
          say(ward, one);
          const present = found.filter((band) => covers(band.episodes, nowMs));
          const alarms = ward.alarms.active().filter((alarm) => alarm.kind === 'physiological');
          expect(alarms.map((alarm) => alarm.priority)).toEqual(
            present.slice(-1).map((band) => band.priority),
          );
          await ward.clock.pass(1_000);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('nothing but a value inside or a person ends an alarm, and each transition is told in order', async () => {
    await fc.assert(
      fc.asyncProperty(course, fc.array(fc.nat(400), { maxLength: 6 }), async (seconds, acts) => {
        const ward = await openWard();
        const versions = new Map<string, number>();
        let inside = false;
        ward.alarms.onChange((alarm, cause) => {
          if (cause === 'recorded') return;
          expect(alarm.version).toBe((versions.get(alarm.id) ?? 0) + 1);
          versions.set(alarm.id, alarm.version);
          expect(alarm.signal === 'off').toBe(cause === 'ended');
          if (cause === 'ended' && alarm.kind === 'physiological') expect(inside).toBe(true);
          if (alarm.inactivation === 'acknowledged') expect(alarm.acknowledgedBy).toBe('Anna');
        });
        for (const [index, one] of seconds.entries()) {
          inside = one.kind === 'valid' && one.value >= 87;
          say(ward, one);
          inside = false;
          if (acts.includes(index)) {
            for (const alarm of ward.alarms.active()) {
              expect(ward.alarms.acknowledge(alarm.id, anna, alarm.version)).toBe('done');
            }
          }
          await ward.clock.pass(1_000);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('a kill at any second changes nothing but a pending run', async () => {
    await fc.assert(
      fc.asyncProperty(course, fc.nat(200), async (seconds, killAt) => {
        let ward = await openWard();
        for (const [index, one] of seconds.entries()) {
          say(ward, one);
          await ward.clock.pass(1_000);
          if (index !== killAt) continue;
          // Value and peak are those of the last transition until the next sample.
          const standing = (of: AlarmHouse) =>
            of.alarms.active().map(({ value: _, peak: __, ...alarm }) => ({ ...alarm, recorded: true }));
          const before = standing(ward);
          ward = await ward.restart(200);
          expect(standing(ward)).toEqual(before);
        }
      }),
      { numRuns: 100 },
    );
  });
});
