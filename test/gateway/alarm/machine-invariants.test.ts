import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mustRing, type Alarm } from '../../../model/alarm.ts';
import { anna, HR, openWard, SPO2, type AlarmHouse } from '../../house/alarm-house.ts';

const bela = { id: 'bela', name: 'Bela' };
const low = { alertId: 'low', code: 'SL', text: 'SpO2 low', metric: SPO2 } as const;
const asystole = { alertId: 'asy', code: 'ASY', text: 'ASYSTOLE', metric: HR } as const;
const pvcs = { alertId: 'pvc', code: 'PVC', text: 'PAIRED PVCS', priority: 'medium' } as const;

/** What happens next: a stretch of seconds with values and what the monitor says, or an act on every alarm there is. */
const event = fc.oneof(
  fc.record({
    seconds: fc.integer({ min: 1, max: 70 }),
    value: fc.constantFrom(97, 88, 88, 80, 80, undefined),
    alerts: fc.subarray([
      low,
      asystole,
      pvcs,
      { ...low, alertId: 'low', inactivation: 'audioPaused' as const },
    ]),
  }),
  fc.record({
    act: fc.constantFrom(
      'acknowledge',
      'accept',
      'reject',
      'pauseAudio',
      'pauseAlarm',
      'switchOff',
      'resume',
      'clear',
      'pass',
      'kill',
    ),
    by: fc.constantFrom(anna, bela),
  }),
);

function act(ward: AlarmHouse, alarm: Alarm, what: string, by: typeof anna): void {
  const { alarms } = ward;
  const { id } = alarm;
  if (what === 'acknowledge') alarms.acknowledge(id, by);
  if (what === 'accept') alarms.accept(id, by);
  if (what === 'reject') alarms.reject(id, by);
  if (what === 'pauseAudio') alarms.pauseAudio(id, by);
  if (what === 'pauseAlarm') alarms.pauseAlarm(id, by, { reason: 'turning' });
  if (what === 'switchOff') alarms.switchOff(id, by, { what: 'alarm', reason: 'palliative' });
  if (what === 'resume') alarms.resume(id, by);
  if (what === 'clear') alarms.clear(id, by);
  if (what === 'pass') {
    const route = { level: 2, round: 1, sinceMs: ward.clock.nowMs(), to: ['x'], rejectedBy: [] };
    alarms.route(id, route, 'passedOn');
  }
}

/** Nothing is quiet without a person (or a hand at the bedside), and no longer than their act holds. */
function expectHeard(ward: AlarmHouse): void {
  const nowMs = ward.clock.nowMs() - 1_000;
  for (const alarm of ward.alarms.active()) {
    if (alarm.presence === 'absent') {
      expect(alarm).toMatchObject({ signal: 'latched', latching: true });
      continue;
    }
    expect(alarm.signal).toBe('on');
    if (mustRing(alarm)) continue;
    if (alarm.inactivation === 'enabled') {
      expect(alarm.acceptedBy).toBeDefined();
      expect(alarm.acceptUntilMs).toBeGreaterThan(nowMs);
    } else if (alarm.inactivation === 'acknowledged') {
      expect(alarm.acknowledgedBy).toBeDefined();
      expect(alarm.realarmAtMs).toBeGreaterThan(nowMs);
    } else {
      expect(alarm.inactivatedBy).toBeDefined();
      if (alarm.inactivation.endsWith('Paused')) expect(alarm.inactivatedUntilMs).toBeGreaterThan(nowMs);
      else expect(alarm.inactivationReason).toBeDefined();
      if (alarm.latching) expect(alarm.inactivation).toBe('audioPaused');
    }
  }
}

/** Ends are told of what is not latching or was ended by a person; versions count every transition. */
function watch(ward: AlarmHouse): void {
  const known = new Map(ward.alarms.active().map((alarm) => [alarm.id, alarm]));
  ward.alarms.onChange((alarm, cause, said) => {
    if (cause === 'recorded') return;
    const before = known.get(alarm.id);
    if (before) expect(alarm.version).toBe(before.version + 1);
    known.set(alarm.id, alarm);
    if (cause === 'ended') expect(alarm.latching && said.reason === undefined).toBe(false);
    if (cause === 'cleared') expect([before?.signal, said.by === undefined]).toEqual(['latched', false]);
    if (cause === 'latched')
      expect(alarm).toMatchObject({ latching: true, presence: 'absent', signal: 'latched' });
    expect(alarm.endedAtMs !== undefined).toBe(alarm.signal === 'off');
    if (before && cause === 'escalated') expect(mustRing(alarm)).toBe(true);
  });
}

test('over random days: what is present rings unless a person quieted it, and ends only when it may', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 3, maxLength: 25 }), async (day) => {
      let ward = await openWard();
      watch(ward);
      for (const one of day) {
        if ('seconds' in one) {
          const values = { [HR]: 75, ...(one.value === undefined ? {} : { [SPO2]: one.value }) };
          await ward.alertSeconds('mon-1', one.alerts, one.seconds, values);
        } else if (one.act === 'kill') {
          const before = ward.alarms
            .active()
            .map(({ id }) => id)
            .toSorted();
          ward = await ward.restart(200);
          expect(
            ward.alarms
              .active()
              .map(({ id }) => id)
              .toSorted(),
          ).toEqual(before);
          // What was told while it started is not counted here.
          watch(ward);
        } else for (const alarm of ward.alarms.active()) act(ward, alarm, one.act, one.by);
        expectHeard(ward);
      }
    }),
    { numRuns: 60 },
  );
}, 120_000);
