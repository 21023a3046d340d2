import { beforeEach, describe, expect, test } from 'vitest';
import type { CensusService } from '../../../api/services.ts';
import {
  openCensus,
  type Census,
  type CensusAct,
  type CensusChange,
} from '../../../gateway/census/census.ts';
import type { Association, Encounter } from '../../../model/census.ts';
import { anna, countedChance, HR, RR, SPO2 } from '../../house/alarm-house.ts';
import { memoryRows, type MemoryRows } from '../../house/memory-rows.ts';
import { virtualClock, type VirtualClock } from '../../house/virtual-clock.ts';

let clock: VirtualClock;
let rows: MemoryRows;
let audit: CensusAct[];
let census: Census;
let changes: CensusChange[];

const open = (from: MemoryRows): Promise<Census> =>
  openCensus({
    rows: from,
    clock,
    chance: countedChance(),
    audit: (act) => audit.push(act),
    knowsDevice: (id) => id.startsWith('mon-'),
  });

beforeEach(async () => {
  clock = virtualClock();
  rows = memoryRows();
  audit = [];
  changes = [];
  census = await open(rows);
  await census.addWard(anna, { id: 'icu', name: 'ICU', profile: 'adult' });
  await census.addBed(anna, { id: 'bed-1', ward: 'icu', label: '1' });
  await census.addBed(anna, { id: 'bed-2', ward: 'icu', label: '2' });
  census.onChange((change) => changes.push(change));
});

const admit = async (bed: string | undefined, mrn = `mrn-of-${bed}`): Promise<Encounter> => {
  const stay = await census.admit(anna, { ward: 'icu', ...(bed ? { bed } : {}), patient: { mrn } });
  if (typeof stay === 'string') throw new Error(stay);
  return stay;
};
const begin = async (
  device: string,
  bed: string,
  encounter?: string,
  beginAtMs?: number,
): Promise<Association> => {
  const begun = await census.associate(anna, {
    device,
    bed,
    ...(encounter ? { encounter } : {}),
    ...(beginAtMs ? { beginAtMs } : {}),
  });
  if (typeof begun === 'string') throw new Error(begun);
  return begun;
};

describe('places', () => {
  test('wards and beds are added once each, and a bed needs its ward', async () => {
    expect(await census.addWard(anna, { id: 'icu', name: 'again', profile: 'adult' })).toBe('id-taken');
    expect(await census.addBed(anna, { id: 'bed-1', ward: 'icu', label: '1' })).toBe('id-taken');
    expect(await census.addBed(anna, { ward: 'nowhere', label: '1' })).toBe('absent');
    expect(census.beds('icu').map((bed) => bed.id)).toEqual(['bed-1', 'bed-2']);
    expect(census.beds('other')).toEqual([]);
    expect(census.bed('bed-2')?.label).toBe('2');
    const made = await census.addWard(anna, { name: 'New', profile: 'child' });
    expect(made).toMatchObject({ name: 'New', id: expect.stringMatching(/^ward-/) });
  });

  test('a bed is on until somebody says otherwise', async () => {
    expect(census.monitoring('bed-1').state).toBe('on');
    const expectedReturnAtMs = clock.nowMs() + 60_000;
    expect(
      await census.setMonitoring(anna, 'bed-1', { state: 'away', reason: 'CT', expectedReturnAtMs }),
    ).toBe('done');
    expect(census.monitoring('bed-1')).toMatchObject({ state: 'away', reason: 'CT', by: 'anna' });
    expect(await census.setMonitoring(anna, 'bed-9', { state: 'on' })).toBe('absent');
    expect(changes).toEqual([{ kind: 'monitoring', bed: 'bed-1', state: 'away' }]);
  });
});

describe('stays', () => {
  test('a bed holds one stay at a time', async () => {
    await admit('bed-1');
    expect(await census.admit(anna, { ward: 'icu', bed: 'bed-1', patient: {} })).toBe('bed-taken');
    expect(await census.admit(anna, { ward: 'icu', bed: 'bed-9', patient: {} })).toBe('absent');
    expect(await census.admit(anna, { ward: 'nowhere', patient: {} })).toBe('absent');
  });

  test('of two admissions racing for a bed one has it', async () => {
    rows.answer(false);
    const both = ['a', 'b'].map((mrn) => census.admit(anna, { ward: 'icu', bed: 'bed-1', patient: { mrn } }));
    rows.answer(true);
    const outcomes = await Promise.all(both);
    expect(outcomes.filter((one) => one === 'bed-taken')).toHaveLength(1);
  });

  test('the same hospital number is the same patient, told more each time', async () => {
    const first = await admit('bed-1', 'M1');
    await census.discharge(anna, first.id, {});
    const second = await census.admit(anna, { ward: 'icu', patient: { mrn: 'M1', birthDate: '1950-01-01' } });
    expect(second).toMatchObject({ patient: first.patient });
    expect(census.patient(first.patient)).toMatchObject({ birthDate: '1950-01-01', temporary: false });
    expect(census.encounters({ patient: first.patient })).toHaveLength(2);
    expect(census.encounters({ ward: 'icu', open: true })).toEqual([second]);
  });

  test('somebody unknown is temporary', async () => {
    const stay = await census.admit(anna, { ward: 'icu', patient: {} });
    if (typeof stay === 'string') throw new Error(stay);
    expect(census.patient(stay.patient)?.temporary).toBe(true);
  });

  test.each([
    ['2026-01-01', 'neonate'],
    ['2025-06-01', 'infant'],
    ['2023-06-01', 'child'],
    ['2015-06-01', 'schoolchild'],
    ['2012-06-01', 'adolescent'],
    ['1950-06-01', 'adult'],
    [undefined, 'adult'],
    ['2030-01-01', 'adult'],
  ] as const)('born %s proposes the profile %s', async (birthDate, profile) => {
    const patient = birthDate ? { birthDate } : {};
    expect(await census.admit(anna, { ward: 'icu', patient })).toMatchObject({ profile });
    expect(await census.admit(anna, { ward: 'icu', patient, profile: 'obstetric' })).toMatchObject({
      profile: 'obstetric',
    });
  });

  test('an adult in an obstetric ward has its profile', async () => {
    await census.addWard(anna, { id: 'obs', name: 'Obstetrics', profile: 'obstetric' });
    const stay = await census.admit(anna, { ward: 'obs', patient: { birthDate: '1995-01-01' } });
    expect(stay).toMatchObject({ profile: 'obstetric' });
  });

  test('transfer and discharge move and end the stay in the books alone', async () => {
    const stay = await admit('bed-1');
    const association = await begin('mon-1', 'bed-1', stay.id);
    expect(await census.transfer(anna, stay.id, { ward: 'icu', bed: 'bed-2' })).toMatchObject({
      bed: 'bed-2',
    });
    expect(await census.transfer(anna, stay.id, { ward: 'icu', bed: 'bed-9' })).toBe('absent');
    expect(await census.transfer(anna, 'no', { ward: 'icu' })).toBe('absent');
    expect(census.current('mon-1')).toEqual(association);
    await census.discharge(anna, stay.id, {});
    expect(await census.discharge(anna, stay.id, {})).toBe('ended');
    expect(await census.discharge(anna, 'no', {})).toBe('absent');
    expect(await census.transfer(anna, stay.id, { ward: 'icu' })).toBe('ended');
    expect(census.current('mon-1')).toEqual(association);
  });

  test('a discharge cannot lie before the admission', async () => {
    const stay = await admit('bed-1');
    const discharged = await census.discharge(anna, stay.id, { dischargedAtMs: 5 });
    expect(discharged).toMatchObject({ dischargedAtMs: stay.admittedAtMs });
  });
});

describe('associations', () => {
  test('two open associations on one device are refused', async () => {
    const stay = await admit('bed-1');
    await begin('mon-1', 'bed-1', stay.id);
    expect(await census.associate(anna, { device: 'mon-1', bed: 'bed-2' })).toBe('device-taken');
  });

  test('of two people associating one device at once one succeeds', async () => {
    rows.answer(false);
    const both = ['bed-1', 'bed-2'].map((bed) => census.associate(anna, { device: 'mon-1', bed }));
    rows.answer(true);
    const outcomes = await Promise.all(both);
    expect(outcomes.filter((one) => one === 'device-taken')).toHaveLength(1);
  });

  test('begin is inclusive, end exclusive', async () => {
    const stay = await admit('bed-1');
    const { id, beginAtMs } = await begin('mon-1', 'bed-1', stay.id);
    await clock.pass(60_000);
    const ended = await census.endAssociation(anna, id, {});
    const endAtMs = clock.nowMs();
    expect(ended).toMatchObject({ endAtMs, endedBy: 'anna' });
    const whose = (atMs: number): string | undefined => census.whoWasOn('mon-1', atMs)?.encounter;
    expect(whose(beginAtMs - 1)).toBeUndefined();
    expect(whose(beginAtMs)).toBe(stay.id);
    expect(whose(endAtMs - 1)).toBe(stay.id);
    expect(whose(endAtMs)).toBeUndefined();
    expect(census.whoWasOn('mon-1', beginAtMs)).toMatchObject({ patient: stay.patient, bed: 'bed-1' });
    expect(await census.endAssociation(anna, id, {})).toBe('ended');
    expect(await census.endAssociation(anna, 'no', {})).toBe('absent');
  });

  test('an earlier begin must not reach into another association', async () => {
    const stay = await admit('bed-1');
    const startMs = clock.nowMs();
    const { id } = await begin('mon-1', 'bed-1', stay.id);
    await clock.pass(60_000);
    await census.endAssociation(anna, id, {});
    await clock.pass(60_000);
    const again = { device: 'mon-1', bed: 'bed-2' };
    expect(await census.associate(anna, { ...again, beginAtMs: startMs + 59_999 })).toBe('overlap');
    expect(await census.associate(anna, { ...again, beginAtMs: startMs - 60_000 })).toBe('overlap');
    expect(await census.associate(anna, { ...again, beginAtMs: startMs + 60_000 })).toMatchObject({
      beginAtMs: startMs + 60_000,
    });
  });

  test('neither begin nor end lies in the future, and an end before the begin is the begin', async () => {
    const begun = await begin('mon-1', 'bed-1', undefined, clock.nowMs() + 3_600_000);
    expect(begun.beginAtMs).toBe(clock.nowMs());
    const ended = await census.endAssociation(anna, begun.id, { endAtMs: begun.beginAtMs - 5_000 });
    expect(ended).toMatchObject({ endAtMs: begun.beginAtMs });
    const next = await begin('mon-1', 'bed-1');
    const late = await census.endAssociation(anna, next.id, { endAtMs: clock.nowMs() + 5_000 });
    expect(late).toMatchObject({ endAtMs: clock.nowMs() });
  });

  test('what does not exist or has ended cannot be associated', async () => {
    const stay = await admit('bed-1');
    await census.discharge(anna, stay.id, {});
    const with_ = (more: object) => census.associate(anna, { device: 'mon-1', bed: 'bed-1', ...more });
    expect(await with_({ encounter: stay.id })).toBe('encounter-ended');
    expect(await with_({ encounter: 'no' })).toBe('absent');
    expect(await with_({ bed: 'no' })).toBe('absent');
    expect(await with_({ device: 'unknown' })).toBe('absent');
  });

  test('the next patient of a bed is not attributed until confirmed', async () => {
    const first = await admit('bed-1', 'first');
    const { id } = await begin('mon-1', 'bed-1', first.id);
    await census.discharge(anna, first.id, {});
    const second = await admit('bed-1', 'second');
    await clock.pass(60_000);
    expect(census.whoWasOn('mon-1', clock.nowMs())?.encounter).toBe(first.id);
    expect(census.view('bed-1')?.encounter?.id).toBe(first.id);
    await census.endAssociation(anna, id, {});
    expect(census.whoWasOn('mon-1', clock.nowMs())).toBeUndefined();
    await begin('mon-1', 'bed-1', second.id);
    expect(census.view('bed-1')?.encounter?.id).toBe(second.id);
  });
});

describe('spans', () => {
  test('a query by patient, encounter, bed and device finds its stretches, cut to what was asked', async () => {
    const one = await admit('bed-1', 'one');
    const two = await admit('bed-2', 'two');
    const startMs = clock.nowMs();
    const a = await begin('mon-1', 'bed-1', one.id);
    await clock.pass(10_000);
    await census.endAssociation(anna, a.id, {});
    await clock.pass(10_000);
    await begin('mon-1', 'bed-2', two.id);
    await begin('mon-2', 'bed-1', one.id);
    await clock.pass(10_000);
    const nowMs = clock.nowMs();
    const mon1 = { device: 'mon-1' };
    expect(census.spansOf({ patient: one.patient }, startMs + 5_000, nowMs)).toEqual([
      {
        ...mon1,
        fromMs: startMs + 5_000,
        toMs: startMs + 10_000,
        bed: 'bed-1',
        encounter: one.id,
        patient: one.patient,
      },
      {
        device: 'mon-2',
        fromMs: startMs + 20_000,
        toMs: nowMs,
        bed: 'bed-1',
        encounter: one.id,
        patient: one.patient,
      },
    ]);
    expect(census.spansOf({ encounter: two.id }, 0, nowMs)).toHaveLength(1);
    expect(census.spansOf({ bed: 'bed-1' }, 0, nowMs)).toHaveLength(2);
    const device = census.spansOf(mon1, startMs - 1_000, nowMs);
    expect(
      device.map(({ fromMs, toMs, encounter }) => [fromMs - startMs, toMs - startMs, encounter]),
    ).toEqual([
      [-1_000, 0, undefined],
      [0, 10_000, one.id],
      [10_000, 20_000, undefined],
      [20_000, 30_000, two.id],
    ]);
    expect(census.spansOf({ patient: 'no' }, 0, nowMs)).toEqual([]);
    expect(census.spansOf({}, 0, nowMs)).toEqual([]);
    expect(census.spansOf({ bed: 'bed-1' }, startMs, startMs)).toEqual([]);
  });
});

describe('limits', () => {
  const low = { metric: SPO2, direction: 'low', priority: 'medium' } as const;

  test('are the profile of the encounter with its own over them', async () => {
    const stay = await admit('bed-1');
    const defaults = census.limits(stay.id);
    expect(defaults).toHaveLength(14);
    expect(defaults).toContainEqual({ ...low, value: 90, delayS: 10, hysteresis: 2, origin: 'default' });
    await census.setLimits(anna, stay.id, [{ ...low, value: 88, delayS: 20 }], 'COPD');
    const own = census.limits(stay.id)?.find((limit) => limit.metric === SPO2 && limit.priority === 'medium');
    expect(own).toEqual({
      ...low,
      value: 88,
      delayS: 20,
      hysteresis: 2,
      origin: 'encounter',
      setBy: 'anna',
      setAtMs: clock.nowMs(),
    });
    expect(census.limits('no')).toBeUndefined();
    expect(census.wardLimits('icu')).toEqual(defaults);
    expect(census.view('bed-1')?.limits).toContainEqual({ ...low, value: 88 });
  });

  test('set on another source of the quantity take the place of the default', async () => {
    const stay = await admit('bed-1');
    await census.setLimits(
      anna,
      stay.id,
      [{ metric: 'MDC_PULS_OXIM_PULS_RATE', direction: 'high', priority: 'medium', value: 130 }],
      'x',
    );
    const high = census
      .limits(stay.id)
      ?.filter((limit) => limit.direction === 'high' && limit.priority === 'medium' && limit.value > 100);
    expect(high?.map((limit) => limit.value).sort()).toEqual([130, 180]);
  });

  test.each([
    [{ metric: HR, direction: 'low', priority: 'high', value: 29 }, 'within 30 to 200'],
    [{ metric: HR, direction: 'high', priority: 'high', value: 201 }, 'within 30 to 200'],
    [{ ...low, value: 79 }, 'at least 80'],
    [{ metric: RR, direction: 'low', priority: 'high', value: 3 }, 'within 4 to 60'],
    [{ metric: RR, direction: 'high', priority: 'high', value: 61 }, 'within 4 to 60'],
    [{ ...low, value: 90, delayS: -1 }, 'delay'],
    [{ ...low, value: 90, delayS: 601 }, 'delay'],
    [{ ...low, priority: 'high', value: 85, delayS: 61 }, 'at most 60'],
    [{ ...low, value: 90, hysteresis: -1 }, 'hysteresis'],
    [{ ...low, value: 90, untilMs: 5 }, 'past'],
    [{ ...low, value: Number.NaN }, 'number'],
    [{ ...low, value: 101 }, 'within 0 to 100'],
    [{ metric: 'unknown', direction: 'low', priority: 'low', value: 1 }, 'no limit'],
    [{ metric: HR, direction: 'low', priority: 'medium', value: 125 }, 'not below the high limit 120'],
  ] as const)('%j is refused: %s', async (wish, cause) => {
    const stay = await admit('bed-1');
    const before = census.limits(stay.id);
    const outcome = await census.setLimits(anna, stay.id, [{ ...low, value: 89 }, wish], 'x');
    expect(outcome).toEqual({
      refused: [{ metric: wish.metric, cause: expect.stringContaining(cause) }],
    });
    expect(census.limits(stay.id)).toEqual(before);
    expect(audit.at(-1)).toMatchObject({ act: 'limits.set', outcome: 'refused' });
  });

  test('at the edge of the life-critical range are taken', async () => {
    const stay = await admit('bed-1');
    const edges = [
      { metric: HR, direction: 'low', priority: 'high', value: 30, delayS: 60 },
      { metric: HR, direction: 'high', priority: 'high', value: 200 },
      { ...low, priority: 'high', value: 80 },
      { metric: RR, direction: 'low', priority: 'high', value: 4 },
      { metric: RR, direction: 'high', priority: 'high', value: 60 },
    ] as const;
    expect(Array.isArray(await census.setLimits(anna, stay.id, edges, 'x'))).toBe(true);
    expect(await census.setLimits(anna, 'no', [], 'x')).toBe('absent');
  });

  test('the next patient starts with fresh limits', async () => {
    const first = await admit('bed-1', 'first');
    await census.setLimits(anna, first.id, [{ ...low, value: 85 }], 'x');
    await census.discharge(anna, first.id, {});
    const second = await admit('bed-1', 'second');
    expect(census.limits(second.id)).toEqual(census.wardLimits('icu'));
  });
});

describe('the disk', () => {
  test('a second opening finds everything as it was', async () => {
    const stay = await admit('bed-1');
    const begun = await begin('mon-1', 'bed-1', stay.id);
    await census.setLimits(
      anna,
      stay.id,
      [{ metric: SPO2, direction: 'low', priority: 'medium', value: null }],
      'x',
    );
    await census.setMonitoring(anna, 'bed-1', { state: 'standby' });
    const again = await open(rows.killed());
    for (const ask of [
      (one: Census) => one.wards(),
      (one: Census) => one.beds(),
      (one: Census) => one.encounters({}),
      (one: Census) => one.patient(stay.patient),
      (one: Census) => one.associations({}),
      (one: Census) => one.limits(stay.id),
      (one: Census) => one.monitoring('bed-1'),
      (one: Census) => one.view('bed-1'),
    ]) {
      expect(ask(again)).toEqual(ask(census));
    }
    expect(again.current('mon-1')).toEqual(begun);
  });

  test('an act whose row is refused leaves everything as it was, and throws', async () => {
    const stay = await admit('bed-1');
    const begun = await begin('mon-1', 'bed-1', stay.id);
    rows.refuse(true);
    const acts = [
      () => census.addWard(anna, { name: 'x', profile: 'adult' }),
      () => census.addBed(anna, { ward: 'icu', label: '9' }),
      () => census.admit(anna, { ward: 'icu', bed: 'bed-2', patient: { mrn: 'new' } }),
      () => census.admit(anna, { ward: 'icu', patient: { mrn: 'mrn-of-bed-1', name: 'other' } }),
      () => census.transfer(anna, stay.id, { ward: 'icu', bed: 'bed-2' }),
      () => census.discharge(anna, stay.id, {}),
      () => census.associate(anna, { device: 'mon-2', bed: 'bed-1' }),
      () => census.endAssociation(anna, begun.id, {}),
      () => census.setMonitoring(anna, 'bed-1', { state: 'away' }),
      () =>
        census.setLimits(anna, stay.id, [{ metric: HR, direction: 'low', priority: 'high', value: 35 }], 'x'),
    ];
    const seen = () =>
      structuredClone([
        census.wards(),
        census.beds(),
        census.encounters({}),
        census.patient(stay.patient),
        census.associations({}),
        census.limits(stay.id),
        census.monitoring('bed-1'),
      ]);
    const before = seen();
    const audited = audit.length;
    for (const act of acts) await expect(act()).rejects.toThrow('the disk is full');
    expect(seen()).toEqual(before);
    expect(audit).toHaveLength(audited);
    expect(census.current('mon-2')).toBeUndefined();
  });

  test('every change is audited with who, what, before and after', async () => {
    const stay = await admit('bed-1');
    const begun = await begin('mon-1', 'bed-1', stay.id);
    await census.endAssociation(anna, begun.id, { reason: 'wrong bed' });
    expect(audit.map((act) => `${act.by} ${act.act} ${act.outcome}`)).toEqual([
      'anna ward.add done',
      'anna bed.add done',
      'anna bed.add done',
      'anna encounter.admit done',
      'anna association.begin done',
      'anna association.end wrong bed',
    ]);
    expect(JSON.stringify(audit)).not.toContain('mrn-of');
  });
});

test('the census is what the API asks for', () => {
  const service: CensusService = census;
  expect(service.wards()).toHaveLength(1);
});

test('nobody is told any more after the close', async () => {
  const heard: CensusChange[] = [];
  const stop = census.onChange((change) => heard.push(change));
  stop();
  await census.setMonitoring(anna, 'bed-1', { state: 'standby' });
  expect(heard).toEqual([]);
  census.close();
});
