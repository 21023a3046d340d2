import { expect, test } from 'vitest';
import type { AlarmRule } from '../../model/alarm-rule.ts';
import { anna, HR, NIBP, openWard, SPO2, type AlarmHouse } from '../house/alarm-house.ts';

const CO2 = 'MDC_CONC_AWAY_CO2_ET';

async function withRules(...rules: readonly AlarmRule[]): Promise<AlarmHouse> {
  const ward = await openWard();
  const set = await ward.census.setWardSettings(anna, 'icu', { rules }, 'ward round');
  if (typeof set === 'string' || 'refused' in set) throw new Error(JSON.stringify(set));
  return ward;
}

// Goal: what a ward wants to know beyond limits is data, and none of it is on by itself (issue: conditions).
test('a fall of the heart rate by 30 within a minute, inside all limits', async () => {
  const fall = {
    id: 'hr-fall',
    on: true,
    kind: 'rate',
    metric: HR,
    direction: 'low',
    by: 30,
    withinS: 60,
  } as const;
  const ward = await withRules({ ...fall, priority: 'medium' });
  await ward.saySeconds('mon-1', { [HR]: 105 }, 120);
  for (let value = 104; value > 76; value -= 2) await ward.saySeconds('mon-1', { [HR]: value }, 1);
  expect(ward.present()).toEqual([]);
  await ward.saySeconds('mon-1', { [HR]: 74 }, 2);
  expect(ward.one('rate')).toMatchObject({ priority: 'medium', direction: 'low', details: { change: 31 } });
  await ward.saySeconds('mon-1', { [HR]: 74 }, 75);
  expect(ward.present()).toEqual([]);
});

test('a cuff that was not inflated for twice its interval is overdue, low, and asked for until it is', async () => {
  const cuff = { id: 'cuff', on: true, kind: 'overdue', metric: NIBP, everyS: 900, priority: 'low' } as const;
  const ward = await withRules(cuff);
  ward.say('mon-1', { [NIBP]: 120 });
  await ward.saySeconds('mon-1', { [HR]: 80 }, 1_799);
  expect(ward.present()).toEqual([]);
  await ward.saySeconds('mon-1', { [HR]: 80 }, 3);
  expect(ward.one('overdue')).toMatchObject({
    priority: 'low',
    kind: 'technical',
    owner: 'nurse',
    bed: 'bed-1',
  });
  ward.say('mon-1', { [NIBP]: 118 });
  await ward.saySeconds('mon-1', { [HR]: 80 }, 2);
  expect(ward.present()).toEqual([]);
});

test('a capnogram that is missing for a minute, though nobody set a limit on it', async () => {
  const co2 = { id: 'co2', on: true, kind: 'absence', metric: CO2, forS: 60, priority: 'medium' } as const;
  const ward = await withRules(co2);
  await ward.saySeconds('mon-1', { [HR]: 80, [CO2]: 38 }, 5);
  const off = { [HR]: 80, [CO2]: { value: null, reason: 'sensor-off' } } as const;
  await ward.saySeconds('mon-1', off, 58);
  expect(ward.present()).toEqual([]);
  await ward.saySeconds('mon-1', off, 4);
  expect(ward.one('absence')).toMatchObject({ priority: 'medium', details: { rule: 'co2' } });
  await ward.census.setMonitoring(anna, 'bed-1', { state: 'away', reason: 'CT' });
  await ward.saySeconds('mon-1', off, 2);
  expect(ward.present()).toEqual([]);
});

test('a combination is off until a ward sets it, and is marked as nobody has validated it', async () => {
  const all = [
    { metric: HR, direction: 'high', value: 110 },
    { metric: SPO2, direction: 'low', value: 93 },
  ] as const;
  const shock = {
    id: 'hr-up-sat-down',
    on: true,
    kind: 'combination',
    forS: 20,
    priority: 'medium',
  } as const;
  const quiet = await openWard();
  await quiet.saySeconds('mon-1', { [HR]: 115, [SPO2]: 91 }, 60);
  expect(quiet.present()).toEqual([]);

  const ward = await withRules({ ...shock, all: [...all] });
  await ward.saySeconds('mon-1', { [HR]: 115, [SPO2]: 91 }, 18);
  expect(ward.present()).toEqual([]);
  await ward.saySeconds('mon-1', { [HR]: 115, [SPO2]: 91 }, 4);
  expect(ward.one('combination').details).toMatchObject({ unvalidated: 1, terms: 'HR high, SpO2 low' });
  await ward.saySeconds('mon-1', { [HR]: { value: null }, [SPO2]: 91 }, 5);
  expect(ward.present()).toContain('combination');
  await ward.saySeconds('mon-1', { [HR]: 100, [SPO2]: 91 }, 2);
  expect(ward.present()).toEqual([]);
});

test('a rule that is taken away takes its alarm with it, and so does the end of the association', async () => {
  const rule = { id: 'co2', on: true, kind: 'absence', metric: CO2, forS: 10, priority: 'low' } as const;
  const fall = {
    id: 'f',
    on: true,
    kind: 'rate',
    metric: HR,
    direction: 'low',
    by: 10,
    withinS: 60,
  } as const;
  const ward = await withRules(rule, { ...fall, priority: 'high' });
  await ward.saySeconds('mon-1', { [HR]: 90, [CO2]: 38 }, 3);
  await ward.saySeconds('mon-1', { [HR]: 70, [CO2]: { value: null } }, 20);
  expect(ward.present()).toEqual(['absence', 'rate']);
  await ward.census.setWardSettings(anna, 'icu', { rules: [{ ...fall, priority: 'high' }] }, 'too many');
  await ward.clock.pass(600);
  expect(ward.present()).toEqual(['rate']);
  const [open] = ward.census.associations({ open: true });
  await ward.census.endAssociation(anna, open?.id ?? '', {});
  await ward.clock.pass(600);
  expect(ward.present()).toEqual([]);
});

test('rules that cannot be are refused with every cause', async () => {
  const ward = await openWard();
  const set = await ward.census.setWardSettings(
    anna,
    'icu',
    {
      rules: [
        { id: 'a', on: true, kind: 'overdue', metric: HR, everyS: 900, priority: 'low' },
        { id: 'a', on: true, kind: 'absence', metric: 'NOT_A_METRIC', forS: 60, priority: 'low' },
      ],
      deviceJudged: ['NOT_EITHER'],
    },
    'x',
  );
  expect(set).toMatchObject({ refused: [{ metric: HR }, { cause: 'two rules with this id' }, {}, {}] });
});
