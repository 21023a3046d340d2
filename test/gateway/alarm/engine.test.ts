import { describe, expect, test } from 'vitest';
import { metrics } from '../../../model/metric-table.ts';
import { anna, device, HR, limits, NIBP, openWard, PR, RR, SPO2 } from '../../house/alarm-house.ts';

const wellSaid = { [HR]: 80, [SPO2]: 97, [RR]: 16 };

describe('a limit of a ward profile', () => {
  test('raises after its delay, and ends with a value inside', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 10);
    expect(ward.present()).toEqual([]);
    ward.say('mon-1', { [SPO2]: 87 });
    expect(ward.one('limit SpO2 low')).toMatchObject({
      kind: 'physiological',
      priority: 'medium',
      ward: 'icu',
      bed: 'bed-1',
      device: 'mon-1',
      limit: 90,
      value: 87,
      peak: 87,
      unit: '%',
      presence: 'present',
      signal: 'on',
      inactivation: 'enabled',
      questionable: false,
    });
    await ward.clock.pass(1_000);
    ward.say('mon-1', { [SPO2]: 96 });
    expect(ward.present()).toEqual([]);
    expect(ward.told.map((one) => one.cause)).toEqual(['raised', 'recorded', 'ended']);
  });

  test('the newest value and the peak are shown without a transition', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    ward.say('mon-1', { [SPO2]: 86 });
    await ward.clock.pass(1_000);
    ward.say('mon-1', { [SPO2]: 89 });
    expect(ward.one('limit SpO2 low')).toMatchObject({ value: 89, peak: 86, version: 1 });
  });

  test('two bands of one metric and direction are one alarm, and both crossed at once are one raise', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 80 }, 11);
    expect(ward.one('limit SpO2 low')).toMatchObject({ priority: 'high', limit: 85 });
    expect(ward.told.filter((one) => one.cause !== 'recorded').map((one) => one.cause)).toEqual(['raised']);
  });

  test('a rise is the same alarm, escalated, and ends acknowledgement; a fall keeps it', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    const { id } = ward.one('limit SpO2 low');
    expect(ward.alarms.acknowledge(id, anna)).toBe('done');
    await ward.saySeconds('mon-1', { [SPO2]: 80 }, 11);
    expect(ward.one('limit SpO2 low')).toMatchObject({
      id,
      priority: 'high',
      limit: 85,
      inactivation: 'enabled',
    });
    expect(ward.one('limit SpO2 low').acknowledgedBy).toBeUndefined();
    ward.alarms.acknowledge(id, anna);
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 1);
    expect(ward.one('limit SpO2 low')).toMatchObject({
      id,
      priority: 'medium',
      limit: 90,
      inactivation: 'acknowledged',
      acknowledgedBy: 'Anna',
    });
    const causes = ward.told.map((one) => one.cause).filter((cause) => cause !== 'recorded');
    expect(causes).toEqual(['raised', 'acknowledged', 'escalated', 'acknowledged', 'deescalated']);
  });

  test('low and high of one metric are two alarms', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [HR]: 130, [SPO2]: 84 }, 11);
    expect(ward.present()).toEqual(['limit HR high', 'limit SpO2 low']);
  });

  test('limits of one patient never judge another', async () => {
    const ward = await openWard(2);
    await limits(ward, 'bed-1', [{ metric: SPO2, direction: 'low', priority: 'medium', value: 84 }]);
    for (let second = 0; second < 12; second++) {
      ward.say('mon-1', { [SPO2]: 88 });
      ward.say('mon-2', { [SPO2]: 88 });
      await ward.clock.pass(1_000);
    }
    expect(ward.alarms.active({ bed: 'bed-1' })).toEqual([]);
    expect(ward.alarms.active({ bed: 'bed-2' })).toHaveLength(1);
    expect(ward.alarms.active({ ward: 'icu' })).toHaveLength(1);
    expect(ward.alarms.active({ ward: 'other' })).toEqual([]);
  });

  test('a limit that is taken away ends its alarm, one that moves is judged by the next sample', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88, [HR]: 130 }, 11);
    await limits(ward, 'bed-1', [{ metric: HR, direction: 'high', priority: 'medium', value: null }]);
    expect(ward.present()).toEqual(['limit SpO2 low']);
    await limits(ward, 'bed-1', [{ metric: SPO2, direction: 'low', priority: 'medium', value: 85 }]);
    expect(ward.present()).toEqual(['limit SpO2 low']);
    ward.say('mon-1', { [SPO2]: 88 });
    expect(ward.present()).toEqual([]);
  });

  test('a limit for a metric without a default is judged from the next sample on', async () => {
    const ward = await openWard();
    const temp = 'MDC_TEMP_BLD';
    ward.say('mon-1', { [temp]: 39.5 });
    await limits(ward, 'bed-1', [
      { metric: temp, direction: 'high', priority: 'medium', value: 39, delayS: 0 },
    ]);
    ward.say('mon-1', { [temp]: 39.5 });
    expect(ward.alarms.active()).toHaveLength(1);
  });

  test('a limit set until an instant falls back to the default by itself', async () => {
    const ward = await openWard();
    const until = ward.clock.nowMs() + 60_000;
    await limits(ward, 'bed-1', [
      { metric: SPO2, direction: 'low', priority: 'medium', value: 85, untilMs: until } as never,
    ]);
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 59);
    expect(ward.present()).toEqual([]);
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 12);
    expect(ward.present()).toEqual(['limit SpO2 low']);
  });

  test('a historical sample only moves the onset back, and the alarm shows it', async () => {
    const ward = await openWard();
    await ward.clock.pass(60_000);
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    const { onsetAtMs } = ward.one('limit SpO2 low');
    ward.say('mon-1', { [SPO2]: 85 }, { takenAtMs: onsetAtMs - 4_000, historical: true });
    expect(ward.one('limit SpO2 low')).toMatchObject({ onsetAtMs: onsetAtMs - 4_000, peak: 88 });
    expect(ward.told.at(-1)?.cause).toBe('onsetMoved');
  });

  test('the time from receipt to raise is told of every raise', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    const now = ward.told[0]?.alarm.raisedAtMs;
    expect(ward.latencies).toMatchObject([{ receivedAtMs: now, raisedAtMs: now, takenAtMs: now }]);
  });
});

describe('acknowledging', () => {
  test.each([
    ['high', 80, 120],
    ['medium', 88, 300],
  ] as const)('a %s alarm rests and rings again after its time', async (priority, value, restS) => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: value }, 11);
    const { id } = ward.one('limit SpO2 low');
    ward.alarms.acknowledge(id, anna);
    expect(ward.one('limit SpO2 low')).toMatchObject({
      priority,
      inactivation: 'acknowledged',
      presence: 'present',
      signal: 'on',
      realarmAtMs: ward.clock.nowMs() + restS * 1_000,
    });
    await ward.saySeconds('mon-1', { [SPO2]: value }, restS - 1);
    expect(ward.one('limit SpO2 low').inactivation).toBe('acknowledged');
    await ward.saySeconds('mon-1', { [SPO2]: value }, 2);
    expect(ward.one('limit SpO2 low').inactivation).toBe('enabled');
    expect(ward.told.filter((one) => one.cause === 'realarmed')).toHaveLength(1);
  });

  test('names the version it saw; an alarm that has moved on refuses', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    const { id, version } = ward.one('limit SpO2 low');
    await ward.saySeconds('mon-1', { [SPO2]: 80 }, 11);
    expect(ward.alarms.acknowledge(id, anna, version)).toBe('changed');
    expect(ward.one('limit SpO2 low').inactivation).toBe('enabled');
    expect(ward.alarms.acknowledge(id, anna, ward.one('limit SpO2 low').version)).toBe('done');
    const acknowledged = ward.one('limit SpO2 low').version;
    expect(ward.alarms.acknowledge(id, anna)).toBe('done');
    expect(ward.one('limit SpO2 low').version).toBe(acknowledged);
  });

  test('what ended is gone, and can still be asked for', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    const { id } = ward.one('limit SpO2 low');
    ward.say('mon-1', { [SPO2]: 97 });
    expect(ward.alarms.acknowledge(id, anna)).toBe('gone');
    expect(ward.alarms.alarm(id)).toMatchObject({ presence: 'absent', signal: 'off', peak: 88 });
    expect(ward.alarms.alarm('alarm-x')).toBeUndefined();
  });
});

describe('a source lost while alarming', () => {
  test('keeps the alarm and adds a technical one, until a value comes', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    await ward.saySeconds('mon-1', { [SPO2]: { value: null, reason: 'sensor-off' } }, 11);
    expect(ward.one('limit SpO2 low').presence).toBe('sourceLost');
    expect(ward.one('source-lost')).toMatchObject({ kind: 'technical', owner: 'nurse', priority: 'low' });
    await ward.saySeconds('mon-1', { [SPO2]: { value: null, reason: 'sensor-off' } }, 60);
    expect(ward.one('source-lost').priority).toBe('medium');
    ward.say('mon-1', { [SPO2]: 88 });
    expect(ward.one('limit SpO2 low').presence).toBe('present');
    expect(ward.present()).not.toContain('source-lost');
  });

  test('is ended by a person with a reason, both at once', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    await ward.clock.pass(12_000);
    const { id } = ward.one('limit SpO2 low');
    expect(ward.alarms.endMeasurement(id, anna, 'probe taken off for the bath')).toBe('done');
    expect(ward.present()).toEqual(['device-silent']);
    expect(ward.alarms.endMeasurement(id, anna, 'again')).toBe('gone');
    const entry = ward.rows.logged.map((one) => one.entry as { event: string; by?: string; reason?: string });
    expect(entry.find((one) => one.event === 'ended' && one.by === 'anna')?.reason).toContain('bath');
    expect(ward.alarms.endMeasurement(ward.one('device-silent').id, anna, 'x')).toBe('not-allowed');
  });

  test('ends with the confirmed end of the association', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    await ward.clock.pass(12_000);
    const [open] = ward.census.associations({ open: true });
    await ward.census.endAssociation(anna, open?.id ?? '', {});
    expect(ward.present()).toEqual([]);
  });
});

describe('one heart, one quantity', () => {
  test('the pulse of the oximeter judges when the ECG is silent for 10 s; onset and state are kept', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [HR]: 130, [PR]: 130 }, 6);
    await ward.saySeconds('mon-1', { [PR]: 130 }, 12);
    const alarm = ward.one('limit PR high');
    expect(alarm).toMatchObject({ metric: PR, details: { insteadOf: 'HR' } });
    expect(alarm.raisedAtMs - alarm.onsetAtMs).toBeGreaterThanOrEqual(10_000);
  });

  test('a present alarm names the source that judges now', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [HR]: 130, [PR]: 131 }, 12);
    const { id } = ward.one('limit HR high');
    await ward.saySeconds('mon-1', { [PR]: 131 }, 12);
    expect(ward.one('limit PR high')).toMatchObject({ id, value: 131, details: { insteadOf: 'HR' } });
    await ward.saySeconds('mon-1', { [HR]: 130, [PR]: 131 }, 12);
    expect(ward.one('limit HR high')).toMatchObject({ id, value: 130 });
    expect(ward.one('limit HR high').details).toBeUndefined();
    expect(ward.told.filter((one) => one.cause === 'raised')).toHaveLength(2);
  });

  test('the ECG judges again after 10 s of valid values, not before', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [HR]: 80, [PR]: 80 }, 11);
    await ward.saySeconds('mon-1', { [HR]: { value: null, reason: 'sensor-off' }, [PR]: 130 }, 25);
    expect(ward.one('limit PR high').presence).toBe('present');
    await ward.saySeconds('mon-1', { [HR]: 80, [PR]: 130 }, 10);
    expect(ward.one('limit PR high').presence).toBe('present');
    await ward.saySeconds('mon-1', { [HR]: 80, [PR]: 130 }, 2);
    expect(ward.present()).toEqual([]);
  });

  test('an invalid value on the way back begins the 10 s anew', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [HR]: 80, [PR]: 80 }, 11);
    await ward.saySeconds('mon-1', { [PR]: 130 }, 25);
    await ward.saySeconds('mon-1', { [HR]: 80, [PR]: 130 }, 8);
    await ward.saySeconds('mon-1', { [HR]: { value: 900, validity: 'invalid' }, [PR]: 130 }, 1);
    await ward.saySeconds('mon-1', { [HR]: 80, [PR]: 130 }, 8);
    expect(ward.present()).toContain('limit PR high');
  });

  test('two live sources apart by more than 20 % for 60 s disagree', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [HR]: 80, [PR]: 97 }, 59);
    expect(ward.present()).toEqual([]);
    await ward.saySeconds('mon-1', { [HR]: 80, [PR]: 97 }, 3);
    expect(ward.one('sources-disagree')).toMatchObject({ priority: 'low', details: { metrics: 'HR, PR' } });
    await ward.saySeconds('mon-1', { [HR]: 80, [PR]: 82 }, 2);
    expect(ward.present()).toEqual([]);
  });
});

describe('a cuff', () => {
  test('rings once a measurement; acknowledged it is quiet until the next one', async () => {
    const ward = await openWard();
    const said = (value: number): void => ward.say('mon-1', { [NIBP]: value });
    said(85);
    const { id } = ward.one('limit NIBP-S low');
    ward.alarms.acknowledge(id, anna);
    await ward.clock.pass(900_000);
    expect(ward.one('limit NIBP-S low')).toMatchObject({ inactivation: 'acknowledged', presence: 'present' });
    said(84);
    expect(ward.one('limit NIBP-S low')).toMatchObject({ id, inactivation: 'enabled' });
    await ward.clock.pass(900_000);
    said(120);
    expect(ward.present()).not.toContain('limit NIBP-S low');
  });

  test('is live up to 15 minutes after its measuring time and judged once', async () => {
    const ward = await openWard();
    await ward.clock.pass(20 * 60_000);
    const takenAtMs = ward.clock.nowMs() - 14 * 60_000;
    ward.say('mon-1', { [NIBP]: 85 }, { takenAtMs, historical: true });
    expect(ward.present()).toEqual(['limit NIBP-S low']);
    ward.alarms.acknowledge(ward.one('limit NIBP-S low').id, anna);
    ward.say('mon-1', { [NIBP]: 85 }, { takenAtMs });
    expect(ward.one('limit NIBP-S low').inactivation).toBe('acknowledged');
    const late = await openWard();
    await late.clock.pass(20 * 60_000);
    late.say('mon-1', { [NIBP]: 85 }, { takenAtMs: late.clock.nowMs() - 16 * 60_000, historical: true });
    expect(late.present()).toEqual([]);
  });

  test('acknowledged, and judged by an arterial line since, rings again after its time', async () => {
    const ward = await openWard();
    const art = 'MDC_PRESS_BLD_ART_ABP_SYS';
    ward.say('mon-1', { [NIBP]: 85 });
    ward.alarms.acknowledge(ward.one('limit NIBP-S low').id, anna);
    await ward.saySeconds('mon-1', { [art]: 85 }, 12);
    const { label = '' } = metrics.get(art) ?? {};
    expect(ward.one(`limit ${label} low`).inactivation).toBe('acknowledged');
    await ward.saySeconds('mon-1', { [art]: 85 }, 300);
    expect(ward.one(`limit ${label} low`).inactivation).toBe('enabled');
  });

  test('does not judge while an arterial line is live', async () => {
    const ward = await openWard();
    const art = 'MDC_PRESS_BLD_ART_ABP_SYS';
    await ward.saySeconds('mon-1', { [art]: 120 }, 5);
    ward.say('mon-1', { [NIBP]: 70, [art]: 120 });
    expect(ward.present()).toEqual([]);
  });
});

describe('a silent device', () => {
  test('is told after 6 s, or 3 of its periods, and until its next message', async () => {
    const ward = await openWard();
    ward.say('mon-1', wellSaid);
    await ward.clock.pass(5_900);
    expect(ward.present()).toEqual([]);
    await ward.clock.pass(600);
    expect(ward.one('device-silent')).toMatchObject({
      kind: 'technical',
      priority: 'low',
      owner: 'nurse',
      bed: 'bed-1',
      device: 'mon-1',
    });
    ward.say('mon-1', wellSaid);
    expect(ward.present()).toEqual([]);
    const slow = await openWard(1, { periodMs: 60_000 });
    slow.say('mon-1', wellSaid);
    await slow.clock.pass(179_000);
    expect(slow.present()).toEqual([]);
    await slow.clock.pass(2_000);
    expect(slow.present()).toContain('device-silent');
  });

  test('is medium after 60 s on a critical metric, and stays low without one', async () => {
    const ward = await openWard(2);
    ward.say('mon-1', wellSaid);
    ward.say('mon-2', { MDC_BLD_PERF_INDEX: 3 });
    await ward.clock.pass(3_000);
    ward.say('mon-2', { MDC_BLD_PERF_INDEX: 3 });
    await ward.clock.pass(70_000);
    const silences = ward.alarms.active().filter((alarm) => alarm.condition === 'device-silent');
    expect(silences.map((alarm) => [alarm.bed, alarm.priority])).toEqual([
      ['bed-1', 'medium'],
      ['bed-2', 'low'],
    ]);
  });

  test('a link death counts at once', async () => {
    const ward = await openWard();
    ward.say('mon-1', wellSaid);
    ward.state('mon-1', 'lost');
    expect(ward.present()).toEqual(['device-silent']);
    ward.state('mon-1', 'connected');
    expect(ward.present()).toEqual(['device-silent']);
    ward.say('mon-1', wellSaid);
    expect(ward.present()).toEqual([]);
  });

  test('sixty beds cut at once on one host are one alarm that lists them, and it empties bed by bed', async () => {
    const ward = await openWard(60, { host: 'host-1' });
    for (let bed = 1; bed <= 60; bed++) {
      ward.say(`mon-${bed}`, wellSaid);
      await ward.clock.pass(20);
    }
    await ward.clock.pass(9_000);
    const alarm = ward.one('device-silent');
    expect(alarm).toMatchObject({ ward: 'icu', details: { devices: 60, host: 'host-1' } });
    expect(alarm.bed).toBeUndefined();
    expect(ward.alarms.active({ bed: 'bed-60' })).toEqual([alarm]);
    expect(ward.told.filter((one) => one.cause === 'raised')).toHaveLength(1);
    for (let bed = 2; bed <= 60; bed++) ward.say(`mon-${bed}`, wellSaid);
    expect(ward.one('device-silent')).toMatchObject({ bed: 'bed-1', details: { beds: '1' } });
    ward.say('mon-1', wellSaid);
    expect(ward.present()).toEqual([]);
  });

  test('silences more than 2 s apart, or on two hosts, are two alarms', async () => {
    const ward = await openWard(3, { host: 'host-1' });
    ward.devices.set('mon-3', device('mon-3', { bed: 'bed-3', host: 'host-2' }));
    ward.alarms.deviceChanged('mon-3');
    ward.say('mon-1', wellSaid);
    ward.say('mon-3', wellSaid);
    await ward.clock.pass(4_000);
    ward.say('mon-2', wellSaid);
    await ward.clock.pass(8_000);
    expect(ward.present()).toEqual(['device-silent', 'device-silent', 'device-silent']);
  });

  test('is nothing without an association, for a spare, on standby, or never seen since the association', async () => {
    const ward = await openWard(4);
    const [first] = ward.census.associations({ bed: 'bed-1' });
    for (const bed of [1, 2, 3]) ward.say(`mon-${bed}`, wellSaid);
    await ward.census.endAssociation(anna, first?.id ?? '', {});
    ward.devices.set('mon-2', device('mon-2', { duty: 'maintenance' }));
    ward.alarms.deviceChanged('mon-2');
    await ward.census.setMonitoring(anna, 'bed-3', { state: 'away', reason: 'CT' });
    await ward.clock.pass(30_000);
    expect(ward.present()).toEqual([]);
  });

  test('standby ends a silence that is there, and coming back on begins it anew', async () => {
    const ward = await openWard();
    ward.say('mon-1', wellSaid);
    await ward.clock.pass(8_000);
    await ward.census.setMonitoring(anna, 'bed-1', { state: 'standby' });
    await ward.clock.pass(1_000);
    expect(ward.present()).toEqual([]);
    await ward.census.setMonitoring(anna, 'bed-1', { state: 'on' });
    await ward.clock.pass(7_000);
    expect(ward.present()).toEqual(['device-silent']);
  });

  test('a standstill of our own makes nobody silent', async () => {
    const ward = await openWard();
    ward.say('mon-1', wellSaid);
    let stood = false;
    const { clock } = ward;
    const nowMs = clock.nowMs;
    Object.assign(clock, { nowMs: () => nowMs() + (stood ? 20_000 : 0) });
    stood = true;
    await clock.pass(500);
    expect(ward.present()).toEqual([]);
    await clock.pass(6_500);
    expect(ward.present()).toEqual(['device-silent']);
  });
});

describe('values that cannot be used', () => {
  test('invalid for 10 s is a medium technical alarm, and ends with a valid value', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', wellSaid, 3);
    await ward.saySeconds('mon-1', { ...wellSaid, [HR]: { value: 900, validity: 'invalid' } }, 9);
    expect(ward.present()).toEqual([]);
    await ward.saySeconds('mon-1', { ...wellSaid, [HR]: { value: 900, validity: 'invalid' } }, 2);
    expect(ward.one('value-invalid')).toMatchObject({
      priority: 'medium',
      owner: 'nurse',
      bed: 'bed-1',
      details: { metrics: 'HR' },
    });
    await ward.saySeconds('mon-1', wellSaid, 2);
    expect(ward.present()).toEqual([]);
  });

  test('an invalid value never clears an alarm', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    await ward.saySeconds('mon-1', { [SPO2]: { value: 120, validity: 'invalid' } }, 5);
    expect(ward.present()).toEqual(['limit SpO2 low']);
  });

  test('a sensor that is off is low after 10 s and medium after 60 s, one alarm a device', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { ...wellSaid, [PR]: 80 }, 3);
    const off = { value: null, reason: 'sensor-off' } as const;
    await ward.saySeconds('mon-1', { ...wellSaid, [SPO2]: off, [PR]: off }, 11);
    expect(ward.one('value-missing')).toMatchObject({
      priority: 'low',
      details: { metrics: 'SpO2, PR', reason: 'sensor-off' },
    });
    await ward.saySeconds('mon-1', { ...wellSaid, [SPO2]: off, [PR]: off }, 50);
    expect(ward.one('value-missing').priority).toBe('medium');
    await ward.saySeconds('mon-1', { ...wellSaid, [PR]: 80 }, 2);
    expect(ward.present()).toEqual([]);
  });
});

describe('demo', () => {
  test('a device in demo mode is told, and never a physiological alarm', async () => {
    const ward = await openWard();
    ward.state('mon-1', 'connected', 'demo');
    expect(ward.one('device-in-demo-mode')).toMatchObject({ priority: 'medium', bed: 'bed-1' });
    ward.state('mon-1', 'connected', 'operating');
    expect(ward.present()).toEqual([]);
    ward.state('mon-1', 'connected', 'test');
    expect(ward.present()).toEqual(['device-in-demo-mode']);
    const [open] = ward.census.associations({ open: true });
    await ward.census.endAssociation(anna, open?.id ?? '', {});
    expect(ward.present()).toEqual([]);
  });
});

describe('infrastructure', () => {
  test('is raised once, changed when raised again, and ended', async () => {
    const ward = await openWard();
    const changes: string[] = [];
    ward.alarms.onChange((alarm, cause) => changes.push(`${alarm.condition} ${alarm.priority} ${cause}`));
    const { technical } = ward.alarms;
    const id = technical.raise('disk-full', { owner: 'admin', priority: 'medium', details: { freeMb: 90 } });
    expect(
      technical.raise('disk-full', { owner: 'admin', priority: 'medium', details: { freeMb: 90 } }),
    ).toBe(id);
    technical.raise('disk-full', { owner: 'admin', priority: 'medium', details: { freeMb: 12 } });
    technical.raise('disk-full', { owner: 'admin', priority: 'high', details: { freeMb: 1 } });
    technical.raise('host-lost', { about: 'host-1', owner: 'biomed', priority: 'medium' });
    technical.raise('host-lost', { about: 'host-2', owner: 'biomed', priority: 'medium' });
    expect(ward.present()).toEqual(['disk-full', 'host-lost', 'host-lost']);
    technical.end('host-lost', 'host-1');
    technical.end('disk-full');
    technical.end('disk-full');
    expect(ward.present()).toEqual(['host-lost']);
    expect(changes).toEqual([
      'disk-full medium raised',
      'disk-full medium updated',
      'disk-full high escalated',
      'host-lost medium raised',
      'host-lost medium raised',
      'host-lost medium ended',
      'disk-full high ended',
    ]);
  });
});
