import { describe, expect, test } from 'vitest';
import { alarmLog, standingAlarms } from '../../../gateway/alarm/alarm-log.ts';
import { anna, device, HR, limits, openAlarmHouse, openWard, SPO2 } from '../../house/alarm-house.ts';
import { memoryRows } from '../../house/memory-rows.ts';

const well = { [HR]: 80, [SPO2]: 97 };

describe('a device without a place', () => {
  test('that gives values has an unregistered patient all the same, and the defaults of its ward', async () => {
    const house = await openAlarmHouse();
    await house.census.addWard(anna, { id: 'icu', name: 'ICU', profile: 'child' });
    house.devices.set('mon-9', device('mon-9', { label: 'Spot monitor 9' }));
    await house.saySeconds('mon-9', { [HR]: 165 }, 45);
    expect(house.one('unregistered-patient')).toMatchObject({
      ward: 'icu',
      device: 'mon-9',
      details: { device: 'Spot monitor 9' },
    });
    expect(house.one('limit HR high')).toMatchObject({ ward: 'icu', limit: 150, priority: 'medium' });
    expect(house.one('limit HR high').bed).toBeUndefined();
    const again = await house.restart();
    expect(again.present()).toEqual(['limit HR high', 'unregistered-patient']);
    again.say('mon-9', { [HR]: 100 });
    expect(again.present()).toEqual(['unregistered-patient']);
  });

  test('that is in store, or not registered at all, raises nothing', async () => {
    const house = await openAlarmHouse();
    house.devices.set('mon-8', device('mon-8', { duty: 'spare' }));
    await house.saySeconds('mon-8', { [HR]: 250 }, 45);
    await house.saySeconds('mon-7', { [HR]: 250 }, 45);
    house.state('mon-7', 'lost', 'standby');
    expect(house.present()).toEqual([]);
  });

  test('that is put into use is listened to from then on, and one taken out while listened to is not found', async () => {
    const house = await openAlarmHouse();
    await house.census.addWard(anna, { id: 'icu', name: 'ICU', profile: 'adult' });
    house.devices.set('mon-8', device('mon-8', { duty: 'spare' }));
    await house.saySeconds('mon-8', { [HR]: 80 }, 45);
    house.devices.set('mon-8', device('mon-8'));
    house.alarms.deviceChanged('mon-8');
    house.alarms.deviceChanged('never-seen');
    await house.saySeconds('mon-8', { [HR]: 80 }, 20);
    house.devices.set('mon-8', device('mon-8', { duty: 'maintenance' }));
    house.alarms.deviceChanged('mon-8');
    await house.saySeconds('mon-8', { [HR]: 80 }, 45);
    expect(house.present()).toEqual([]);
    house.devices.set('mon-8', device('mon-8'));
    house.alarms.deviceChanged('mon-8');
    house.say('mon-8', { [HR]: { value: 80, validity: 'questionable' } });
    await house.saySeconds('mon-8', { [HR]: 80 }, 31);
    expect(house.present()).toEqual(['unregistered-patient']);
  });
});

describe('series', () => {
  test('of codes and of unknown metrics are never judged, those of a second channel are a second source', async () => {
    const ward = await openWard();
    await limits(ward, 'bed-1', [
      { metric: 'MDC_TEMP', direction: 'high', priority: 'medium', value: 39, delayS: 0 },
    ]);
    ward.say('mon-1', { 'MDC_TEMP/2': 40, unknown: 5, 'vent-mode': 3 });
    const [alarm] = ward.alarms.active();
    expect(alarm).toMatchObject({ metric: 'MDC_TEMP', channel: '2', value: 40, unit: 'Cel' });
    await ward.saySeconds('mon-1', { unknown: { value: 7, validity: 'invalid' } }, 12);
    expect(ward.one('value-invalid').details?.['metrics']).toBe('unknown');
  });

  test('of a limit that was taken away altogether are left alone', async () => {
    const ward = await openWard();
    const temp = { metric: 'MDC_TEMP', direction: 'high', priority: 'medium', delayS: 0 } as const;
    await limits(ward, 'bed-1', [{ ...temp, value: 39 }]);
    ward.say('mon-1', { MDC_TEMP: 40 });
    expect(ward.alarms.active()).toHaveLength(1);
    await limits(ward, 'bed-1', [{ ...temp, value: null }]);
    ward.say('mon-1', { MDC_TEMP: 40 });
    expect(ward.alarms.active()).toEqual([]);
  });
});

describe('ending by hand', () => {
  test('ends the alarm of that patient alone', async () => {
    const ward = await openWard(2);
    for (let second = 0; second < 11; second++) {
      for (const bed of [1, 2]) ward.say(`mon-${bed}`, { [SPO2]: 88, [HR]: 150 });
      await ward.clock.pass(1_000);
    }
    const [second] = ward.alarms.active({ bed: 'bed-2' });
    expect(ward.alarms.endMeasurement(second?.id ?? '', anna, 'probe moved')).toBe('done');
    expect(ward.alarms.active({ bed: 'bed-1' })).toHaveLength(2);
    expect(ward.alarms.active({ bed: 'bed-2' })).toHaveLength(1);
    expect(ward.alarms.endMeasurement('no-such-alarm', anna, 'x')).toBe('gone');
  });

  test('of one unregistered patient leaves the other', async () => {
    const ward = await openWard(2);
    for (const open of ward.census.associations({ open: true })) {
      await ward.census.endAssociation(anna, open.id, {});
    }
    for (let second = 0; second < 32; second++) {
      for (const bed of [1, 2]) ward.say(`mon-${bed}`, well);
      await ward.clock.pass(1_000);
    }
    const [first] = ward.alarms.active({ bed: 'bed-1' });
    expect(ward.alarms.endMeasurement(first?.id ?? '', anna, 'test')).toBe('done');
    expect(ward.alarms.active()).toMatchObject([{ bed: 'bed-2', condition: 'unregistered-patient' }]);
  });
});

describe('bounds', () => {
  test('the oldest of many ended alarms is forgotten, not the newest', async () => {
    const ward = await openWard();
    const ids: string[] = [];
    for (let turn = 0; turn < 2_100; turn++) {
      ids.push(ward.alarms.technical.raise('disk-full', { owner: 'admin', priority: 'low' }));
      ward.alarms.technical.end('disk-full');
    }
    expect(ward.alarms.alarm(ids[0] ?? '')).toBeUndefined();
    expect(ward.alarms.alarm(ids.at(-1) ?? '')).toBeDefined();
    await ward.clock.pass(0);
    expect(ward.alarms.alarm(ids.at(-1) ?? '')?.recorded).toBe(true);
  });

  test('while the disk refuses everything the newest 20,000 transitions wait, and the alarm stands', async () => {
    const ward = await openWard();
    ward.rows.refuse(true);
    for (let turn = 0; turn < 20_100; turn++) {
      ward.alarms.technical.raise('disk-full', { owner: 'admin', priority: 'low', details: { turn } });
      if (turn % 500 === 0) await ward.clock.pass(0);
    }
    await ward.clock.pass(0);
    expect(ward.one('disk-full').recorded).toBe(false);
    ward.rows.refuse(false);
    await ward.clock.pass(500);
    expect(ward.one('disk-full').recorded).toBe(true);
    expect(ward.rows.logged).toHaveLength(20_000);
  });

  test('a log longer than a page, with entries of another hand, is read to its end', async () => {
    const ward = await openWard();
    for (let turn = 0; turn < 1_500; turn++) {
      ward.alarms.technical.raise('disk-full', { owner: 'admin', priority: 'low', details: { turn } });
    }
    await ward.clock.pass(0);
    const alarm = ward.one('disk-full');
    await ward.rows.alarmRows.append('alarm-log', { atMs: 0, event: 'noted', alarm });
    const { standing, number } = await standingAlarms(alarmLog(ward.rows.killed().alarmRows));
    expect(number).toBe(1_500);
    expect(standing).toMatchObject([{ alarm: { version: 1_500, details: { turn: 1_499 } } }]);
  });

  test('two alarms about one thing in a damaged log are one', async () => {
    const rows = memoryRows();
    const house = await openAlarmHouse({ rows });
    house.alarms.technical.raise('disk-full', { owner: 'admin', priority: 'low' });
    await house.clock.pass(0);
    const [first] = rows.logged;
    const entry = first?.entry as { alarm: { id: string } };
    await rows.alarmRows.append('alarm-log', {
      ...entry,
      alarm: { ...entry.alarm, id: 'alarm-twin' },
    } as never);
    const again = await house.restart();
    expect(again.present()).toEqual(['disk-full']);
  });
});

describe('other corners', () => {
  test('an alarm of a bed whose association ended with the last breath of the process ends at the start', async () => {
    const ward = await openWard(2);
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    await ward.saySeconds('mon-2', { [SPO2]: 88 }, 11);
    const rows = ward.rows;
    // The end of the association reached the disk, the end of the alarm did not.
    const [open] = ward.census.associations({ device: 'mon-1', open: true });
    await rows.put('associations', { ...open, id: open?.id ?? '', endAtMs: ward.clock.nowMs() } as never);
    const again = await ward.restart();
    expect(again.present().filter((name) => name.startsWith('limit'))).toEqual(['limit SpO2 low']);
    expect(again.one('limit SpO2 low').bed).toBe('bed-2');
  });

  test('a death in a bed that is on standby is not told, and a second standby changes nothing', async () => {
    const ward = await openWard();
    ward.say('mon-1', well);
    ward.state('mon-1', 'connected', 'standby');
    await ward.clock.pass(0);
    const { sinceMs } = ward.census.monitoring('bed-1');
    ward.state('mon-1', 'connected', 'operating');
    ward.state('mon-1', 'lost', 'standby');
    await ward.clock.pass(1_000);
    expect(ward.present()).toEqual([]);
    expect(ward.census.monitoring('bed-1').sinceMs).toBe(sinceMs);
  });

  test('messages of another bed do not end a standby', async () => {
    const ward = await openWard(2);
    ward.say('mon-2', well);
    await ward.census.setMonitoring(anna, 'bed-1', { state: 'standby' });
    await ward.clock.pass(60_000);
    ward.say('mon-2', well);
    await ward.clock.pass(0);
    expect(ward.census.monitoring('bed-1').state).toBe('standby');
    ward.say('mon-1', well);
    await ward.clock.pass(0);
    expect(ward.census.monitoring('bed-1').state).toBe('on');
  });

  test('a state that cannot be written stays as it was', async () => {
    const ward = await openWard();
    ward.say('mon-1', well);
    ward.rows.refuse(true);
    ward.state('mon-1', 'connected', 'standby');
    await ward.clock.pass(0);
    expect(ward.census.monitoring('bed-1').state).toBe('on');
  });

  test('somebody without a name acknowledges by id', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    ward.alarms.acknowledge(ward.one('limit SpO2 low').id, { id: 'n7' });
    expect(ward.one('limit SpO2 low').acknowledgedBy).toBe('n7');
  });

  test('an empty list of alerts is a sign of life, no more', async () => {
    const ward = await openWard();
    ward.alarms.alerts('mon-1', [], true, ward.clock.nowMs());
    expect(ward.present()).toEqual([]);
  });

  test('after the close nothing is swept and nothing heard', async () => {
    const ward = await openWard();
    ward.say('mon-1', well);
    ward.alarms.close();
    await ward.clock.pass(60_000);
    expect(ward.present()).toEqual([]);
  });

  test('a bed shows the devices that stand there, associated or not', async () => {
    const { openCensus } = await import('../../../gateway/census/census.ts');
    const ward = await openWard();
    const census = await openCensus({
      rows: ward.rows.killed(),
      clock: ward.clock,
      chance: { id: (prefix) => prefix, hex: () => '', fraction: () => 0 },
      audit: () => undefined,
      fixedAt: () => ['mon-1', 'mon-5'],
      glance: (id) => ({ device: { device: id, label: id, link: 'connected' }, values: [] }),
    });
    expect(census.view('bed-1')?.devices.map((one) => one.device)).toEqual(['mon-1', 'mon-5']);
    expect(census.view('bed-9')).toBeUndefined();
  });
});
