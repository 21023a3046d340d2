import { expect, test } from 'vitest';
import { mustRing } from '../../model/alarm.ts';
import { anna, HR, openWard, SPO2 } from '../house/alarm-house.ts';

const low = { alertId: 'spo2-low', code: 'SL', text: 'SpO2 low', metric: SPO2 };

// Goal: the monitor and Vigil judge the same fall in saturation: one alarm, not two (CLINICAL 5).
test('the monitor says so first, then Vigil too: one alarm throughout, the higher priority rings', async () => {
  const ward = await openWard();
  await ward.alertSeconds('mon-1', [{ ...low, priority: 'medium' }], 5, { [SPO2]: 84 });
  const { id } = ward.one('device');
  expect(ward.one('device')).toMatchObject({ priority: 'medium', direction: 'low', metric: SPO2 });
  await ward.alertSeconds('mon-1', [{ ...low, priority: 'medium' }], 7, { [SPO2]: 84 });
  expect(ward.one('limit SpO2 low')).toMatchObject({
    id,
    priority: 'high',
    limit: 85,
    sources: [
      { by: 'limit', priority: 'high' },
      { by: 'device', priority: 'medium', code: 'SL', text: 'SpO2 low' },
    ],
  });
  // Vigil's limit is inside again, the monitor's is not.
  await ward.alertSeconds('mon-1', [{ ...low, priority: 'medium' }], 1, { [SPO2]: 96 });
  expect(ward.one('device')).toMatchObject({ id, priority: 'medium', sources: [{ by: 'device' }] });
  await ward.alertSeconds('mon-1', [], 1, { [SPO2]: 96 });
  expect(ward.present()).toEqual([]);
});

test('a medium limit of Vigil under a high alert of the monitor escalates the same alarm', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
  const { id } = ward.one('limit SpO2 low');
  ward.alarms.acknowledge(id, anna);
  await ward.alertSeconds('mon-1', [low], 1, { [SPO2]: 88 });
  expect(ward.one('limit SpO2 low')).toMatchObject({ id, priority: 'high', inactivation: 'enabled' });
});

test('an alert of unknown meaning is an alarm of its own with its text as sent', async () => {
  const ward = await openWard();
  await ward.alertSeconds(
    'mon-1',
    [{ alertId: 'x7', code: 'X7', text: '** PAIRED PVCS', priority: 'medium' }],
    2,
  );
  expect(ward.one('device')).toMatchObject({
    priority: 'medium',
    sources: [{ code: 'X7', text: '** PAIRED PVCS' }],
  });
  await ward.alertSeconds('mon-1', [], 1);
  expect(ward.present()).toEqual([]);
});

test('a technical alert is a technical alarm of the nurse; an advisory is none', async () => {
  const ward = await openWard();
  await ward.alertSeconds(
    'mon-1',
    [{ code: 'LEADS', text: 'ECG leads off', type: 'technical', priority: 'low' }],
    2,
  );
  expect(ward.one('device-alert')).toMatchObject({
    kind: 'technical',
    owner: 'nurse',
    priority: 'low',
    bed: 'bed-1',
    details: { text: 'ECG leads off' },
  });
  ward.alert('mon-1', { code: 'PRINT', text: 'printing', priority: 'advisory' });
  expect(ward.present()).toEqual([]);
});

test('demo alerts of a monitor never ring; said of the patient before, they are not said of the next', async () => {
  const ward = await openWard();
  await ward.alertSeconds('mon-1', [low], 2);
  ward.state('mon-1', 'connected', 'demo');
  expect(ward.present()).toEqual(['device-in-demo-mode']);
  ward.state('mon-1', 'connected', 'operating');
  expect(ward.present()).toEqual(['device']);
  const [open] = ward.census.associations({ open: true });
  await ward.census.endAssociation(anna, open?.id ?? '', { reason: 'moved' });
  expect(ward.present()).toEqual([]);
  await ward.census.associate(anna, { device: 'mon-1', bed: 'bed-1' });
  expect(ward.present()).toEqual([]);
  await ward.alertSeconds('mon-1', [{ ...low, phase: 'continue' }], 1);
  expect(ward.present()).toEqual(['device']);
});

test('silenced at the bedside: followed for two minutes with a mark, then it rings again', async () => {
  const ward = await openWard();
  await ward.alertSeconds('mon-1', [low], 3);
  const silenced = { ...low, inactivation: 'audioOff' } as const;
  await ward.alertSeconds('mon-1', [silenced], 2);
  expect(ward.one('device')).toMatchObject({ inactivation: 'audioPaused', inactivatedBy: 'bedside' });
  expect(ward.one('device').sources).toMatchObject([{ inactivation: 'audioOff' }]);
  await ward.alertSeconds('mon-1', [silenced], 120);
  expect(mustRing(ward.one('device'))).toBe(true);
  expect(ward.one('device').sources).toMatchObject([{ inactivation: 'audioOff' }]);
  // Back to sounding at the bedside, then paused there anew, then undone there.
  await ward.alertSeconds('mon-1', [low], 1);
  await ward.alertSeconds('mon-1', [silenced], 1);
  expect(mustRing(ward.one('device'))).toBe(false);
  await ward.alertSeconds('mon-1', [low], 1);
  expect(mustRing(ward.one('device'))).toBe(true);
});

test('an alert nobody speaks of any more is kept, and its lost source told, until a person ends it', async () => {
  const ward = await openWard();
  await ward.alertSeconds('mon-1', [low], 5, { [HR]: 80 });
  await ward.saySeconds('mon-1', { [HR]: 80 }, 8);
  expect(ward.present()).toEqual(['alarm-source-lost', 'device']);
  expect(ward.one('device')).toMatchObject({ presence: 'sourceLost', sources: [{ lost: true }] });
  await ward.alertSeconds('mon-1', [low], 1, { [HR]: 80 });
  expect(ward.present()).toEqual(['device']);
  expect(ward.one('device').presence).toBe('present');
  await ward.saySeconds('mon-1', { [HR]: 80 }, 8);
  expect(ward.alarms.endMeasurement(ward.one('device').id, anna, 'probe off')).toBe('done');
  await ward.saySeconds('mon-1', { [HR]: 80 }, 2);
  expect(ward.present()).toEqual([]);
});

test('killed while the monitor alarms: one alarm after the start, which ends when the monitor says so', async () => {
  const ward = await openWard();
  const pvcs = { alertId: 'pvc', code: 'PVC', text: 'PAIRED PVCS', priority: 'medium' } as const;
  const leads = { code: 'LEADS', text: 'leads off', type: 'technical', priority: 'low' } as const;
  await ward.alertSeconds('mon-1', [low, pvcs, leads], 3);
  const before = ward.alarms
    .active()
    .map(({ id }) => id)
    .toSorted();
  const again = await ward.restart();
  expect(
    again.alarms
      .active()
      .map(({ id }) => id)
      .toSorted(),
  ).toEqual(before);
  await again.alertSeconds('mon-1', [low, pvcs, leads], 2);
  expect(
    again.alarms
      .active()
      .map(({ id }) => id)
      .toSorted(),
  ).toEqual(before);
  await again.alertSeconds('mon-1', [], 1);
  expect(again.present()).toEqual([]);
});
