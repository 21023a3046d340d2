import { describe, expect, test } from 'vitest';
import { alarmLog, standingAlarms } from '../../../gateway/alarm/alarm-log.ts';
import { anna, HR, limits, NIBP, openWard, SPO2, type AlarmHouse } from '../../house/alarm-house.ts';

const event = (entry: unknown): string => (entry as { event: string }).event;

describe('durability of alarm transitions', () => {
  test('an alarm rings at once from memory and says that it is not recorded until the disk has it', async () => {
    const ward = await openWard();
    ward.rows.answer(false);
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    expect(ward.one('limit SpO2 low')).toMatchObject({ presence: 'present', recorded: false });
    ward.rows.answer(true);
    await ward.clock.pass(0);
    expect(ward.one('limit SpO2 low').recorded).toBe(true);
    expect(ward.told.map((one) => one.cause)).toEqual(['raised', 'recorded']);
  });

  test('an older transition that reaches the disk says nothing of the newest', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 10);
    ward.rows.answer(false);
    ward.say('mon-1', { [SPO2]: 88 });
    ward.alarms.acknowledge(ward.one('limit SpO2 low').id, anna);
    ward.rows.answer(true);
    await ward.clock.pass(0);
    const recorded = ward.told.filter((one) => one.cause === 'recorded');
    expect(recorded.map((one) => one.alarm.version)).toEqual([2]);
  });

  test('a refused transition is tried again until it is written', async () => {
    const ward = await openWard();
    ward.rows.refuse(true);
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 20);
    expect(ward.one('limit SpO2 low').recorded).toBe(false);
    ward.rows.refuse(false);
    await ward.clock.pass(1_000);
    expect(ward.one('limit SpO2 low').recorded).toBe(true);
    expect(ward.rows.logged.map((one) => event(one.entry))).toEqual(['raised']);
  });

  test('the end of an alarm is recorded too', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    const { id } = ward.one('limit SpO2 low');
    ward.say('mon-1', { [SPO2]: 97 });
    await ward.clock.pass(0);
    expect(ward.alarms.alarm(id)).toMatchObject({ recorded: true, presence: 'absent' });
    expect(ward.told.at(-1)?.cause).toBe('recorded');
  });
});

describe('a restart', () => {
  test('finds every present alarm once, with its onset, peak and version', async () => {
    const ward = await openWard(2);
    await ward.saySeconds('mon-1', { [SPO2]: 82, [HR]: 150 }, 11);
    const before = ward.alarms.active();
    const again = await ward.restart();
    expect(again.alarms.active().map((alarm) => alarm.id)).toEqual(before.map((alarm) => alarm.id));
    for (const alarm of before) expect(again.alarms.alarm(alarm.id)).toEqual({ ...alarm, recorded: true });
    await again.saySeconds('mon-1', { [SPO2]: 82, [HR]: 150 }, 20);
    expect(again.present()).toEqual(['limit HR high', 'limit SpO2 low']);
    again.say('mon-1', { [SPO2]: 97, [HR]: 80 });
    expect(again.present()).toEqual([]);
  });

  test('keeps an acknowledgement and what is left of its time; downtime counts', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 80 }, 11);
    const { id } = ward.one('limit SpO2 low');
    ward.alarms.acknowledge(id, anna);
    await ward.saySeconds('mon-1', { [SPO2]: 80 }, 60);
    const again = await ward.restart(30_000);
    expect(again.one('limit SpO2 low')).toMatchObject({
      id,
      inactivation: 'acknowledged',
      acknowledgedBy: 'Anna',
    });
    await again.saySeconds('mon-1', { [SPO2]: 80 }, 29);
    expect(again.one('limit SpO2 low').inactivation).toBe('acknowledged');
    await again.saySeconds('mon-1', { [SPO2]: 80 }, 3);
    expect(again.one('limit SpO2 low').inactivation).toBe('enabled');
  });

  test('a re-alarm that fell into the downtime comes with the first sweep', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 80 }, 11);
    ward.alarms.acknowledge(ward.one('limit SpO2 low').id, anna);
    const again = await ward.restart(600_000);
    await again.clock.pass(1_000);
    expect(again.one('limit SpO2 low').inactivation).toBe('enabled');
  });

  test('a present alarm whose source stays silent afterwards loses its source', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    const again = await ward.restart();
    await again.clock.pass(9_000);
    expect(again.one('limit SpO2 low').presence).toBe('present');
    await again.clock.pass(3_000);
    expect(again.one('limit SpO2 low').presence).toBe('sourceLost');
    expect(again.present()).toContain('source-lost');
  });

  test('a lost source stays lost and is told once', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    await ward.clock.pass(15_000);
    expect(ward.present()).toEqual(['device-silent', 'limit SpO2 low', 'source-lost']);
    const again = await ward.restart();
    expect(again.present()).toEqual(['device-silent', 'limit SpO2 low', 'source-lost']);
    await again.clock.pass(20_000);
    expect(again.present()).toEqual(['device-silent', 'limit SpO2 low', 'source-lost']);
    again.say('mon-1', { [SPO2]: 97 });
    await again.clock.pass(1_000);
    expect(again.present()).toEqual([]);
  });

  test('a pending run begins anew', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 8);
    const again = await ward.restart(1_000);
    await again.saySeconds('mon-1', { [SPO2]: 88 }, 10);
    expect(again.present()).toEqual([]);
    again.say('mon-1', { [SPO2]: 88 });
    expect(again.present()).toEqual(['limit SpO2 low']);
  });

  test('a device that was seen before and is silent since the restart is told', async () => {
    const ward = await openWard();
    ward.say('mon-1', { [HR]: 80 });
    const again = await ward.restart(1_000);
    await again.clock.pass(7_000);
    expect(again.present()).toEqual(['device-silent']);
  });

  test('a sensor that was off stays told until it gives a value, an infrastructure alarm until it is looked at', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [HR]: 80, [SPO2]: 97 }, 3);
    const off = { [HR]: 80, [SPO2]: { value: null, reason: 'sensor-off' } } as const;
    await ward.saySeconds('mon-1', off, 12);
    ward.alarms.technical.raise('disk-full', { owner: 'admin', priority: 'medium' });
    ward.alarms.technical.raise('host-lost', { about: 'host-1', owner: 'biomed', priority: 'medium' });
    const again = await ward.restart();
    await again.saySeconds('mon-1', off, 20);
    again.alarms.technical.raise('disk-full', { owner: 'admin', priority: 'medium' });
    expect(again.present()).toEqual(['disk-full', 'host-lost', 'value-missing']);
    await again.saySeconds('mon-1', off, 15);
    expect(again.present()).toEqual(['disk-full', 'value-missing']);
    await again.saySeconds('mon-1', { [HR]: 80, [SPO2]: 97 }, 2);
    expect(again.present()).toEqual(['disk-full']);
  });

  test('a limit that was changed just before is the one that judges', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    await limits(ward, 'bed-1', [{ metric: SPO2, direction: 'low', priority: 'medium', value: 82 }]);
    const again = await ward.restart();
    expect(again.present()).toEqual(['limit SpO2 low']);
    again.say('mon-1', { [SPO2]: 88 });
    expect(again.present()).toEqual([]);
  });

  test('an acknowledged cuff alarm stays quiet until the next measurement', async () => {
    const ward = await openWard();
    ward.say('mon-1', { [NIBP]: 85 });
    ward.alarms.acknowledge(ward.one('limit NIBP-S low').id, anna);
    const again = await ward.restart();
    again.say('mon-1', { [NIBP]: 85 }, { takenAtMs: ward.one('limit NIBP-S low').onsetAtMs });
    await again.saySeconds('mon-1', { [HR]: 80 }, 900);
    expect(again.one('limit NIBP-S low').inactivation).toBe('acknowledged');
    expect(again.present()).toEqual(['limit NIBP-S low']);
    again.say('mon-1', { [NIBP]: 84 });
    expect(again.one('limit NIBP-S low').inactivation).toBe('enabled');
  });

  test('a transition lost in the window before the disk may come twice, never be skipped', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    ward.rows.answer(false);
    ward.say('mon-1', { [SPO2]: 97 });
    const again = await ward.restart();
    expect(again.present()).toEqual(['limit SpO2 low']);
    again.say('mon-1', { [SPO2]: 97 });
    expect(again.present()).toEqual([]);
  });

  test('reads from the newest checkpoint on, however long the log is', async () => {
    const ward = await openWard();
    await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
    const { technical } = ward.alarms;
    for (let turn = 0; turn < 2_500; turn++) {
      technical.raise('disk-full', { owner: 'admin', priority: 'low', details: { turn } });
      if (turn % 50 === 0) await ward.clock.pass(0);
    }
    await ward.clock.pass(0);
    technical.end('disk-full');
    await ward.clock.pass(0);
    const reads: number[] = [];
    const { alarmRows } = ward.rows.killed();
    const log = alarmLog({
      ...alarmRows,
      read: async (name, page) => {
        const found = await alarmRows.read(name, page);
        reads.push(found.length);
        return found;
      },
    });
    const { standing, number } = await standingAlarms(log);
    expect(standing.map((entry) => entry.alarm.condition)).toEqual(['limit']);
    expect(number).toBe(ward.rows.logged.length);
    expect(reads.reduce((sum, read) => sum + read, 0)).toBeLessThan(2_100);
  });

  test('twenty kills at any moment of a busy ward lose no alarm and show none twice', async () => {
    let ward: AlarmHouse = await openWard(3);
    const course = (bed: number, second: number): number => (second % (17 + bed) < 11 + bed ? 82 : 97);
    const judgedPresent = new Map<number, boolean>();
    for (let round = 0; round < 20; round++) {
      for (let second = 0; second < 13 + round; second++) {
        for (const bed of [1, 2, 3]) ward.say(`mon-${bed}`, { [SPO2]: course(bed, second) });
        await ward.clock.pass(1_000);
      }
      for (const bed of [1, 2, 3]) {
        judgedPresent.set(bed, ward.alarms.active({ bed: `bed-${bed}` }).length > 0);
      }
      ward = await ward.restart(500);
      for (const bed of [1, 2, 3]) {
        expect(ward.alarms.active({ bed: `bed-${bed}` })).toHaveLength(judgedPresent.get(bed) ? 1 : 0);
      }
    }
  });
});
