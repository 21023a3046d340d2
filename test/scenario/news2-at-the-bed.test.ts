import { expect, test } from 'vitest';
import type { LiveScores } from '../../gateway/alarm/scores/live-scores.ts';
import type { ScoreRule } from '../../model/alarm-rule.ts';
import { anna, HR, NIBP, openWard, RR, SPO2, type AlarmHouse } from '../house/alarm-house.ts';

const TEMP = 'MDC_TEMP_BODY';
const sick = { [RR]: 24, [SPO2]: 93, [HR]: 112, [NIBP]: 98, [TEMP]: 38.4 };
const rule: ScoreRule = {
  id: 'news2',
  on: true,
  kind: 'score',
  score: 'news2',
  atLeast: 7,
  priority: 'medium',
};

async function atTheBed(birthDate = '1950-01-01') {
  const ward = await openWard(0);
  await ward.census.addBed(anna, { id: 'bed-9', ward: 'icu', label: '9' });
  ward.devices.set('mon-9', { id: 'mon-9', label: 'mon-9', ward: 'icu', duty: 'in-use', periodMs: 1_000 });
  const stay = await ward.census.admit(anna, { ward: 'icu', bed: 'bed-9', patient: { birthDate } });
  if (typeof stay === 'string') throw new Error(stay);
  await ward.census.associate(anna, { device: 'mon-9', bed: 'bed-9', encounter: stay.id });
  return { ward, stay: stay.id, scores: await ward.openScores() };
}
const chart = (ward: AlarmHouse, stay: string): void =>
  ward.say(`charted-${stay}`, { acvpu: { code: 'A' }, 'oxygen-flow': 2 });
const news2 = (scores: LiveScores) => {
  const found = scores.at('bed-9').scores.find((one) => one.score === 'news2');
  if (!found) throw new Error('no NEWS2');
  return found;
};
const pointsOf = (scores: LiveScores): Record<string, number> =>
  Object.fromEntries(news2(scores).parts.map((part) => [part.part, part.points ?? 0]));

// Goal: NEWS2 at the bed is never more than what is known: provisional, with what is missing and old named (CLINICAL 10).
test('without consciousness and oxygen the total is null, and both are named', async () => {
  const { ward, stay, scores } = await atTheBed();
  await ward.saySeconds('mon-9', sick, 10);
  expect(news2(scores)).toMatchObject({
    provisional: true,
    total: null,
    missing: ['oxygen', 'acvpu'],
    old: [],
  });
  chart(ward, stay);
  // 2 (RR) + 2 (SpO2) + 2 (oxygen) + 2 (systolic) + 2 (pulse) + 0 (alert) + 1 (temperature)
  expect(news2(scores)).toMatchObject({ total: 11, missing: [], scale: 1, warnings: [] });
});

test('a cuff value is good for an hour, a monitor value for 15 minutes; then they are old and named', async () => {
  const { ward, stay, scores } = await atTheBed();
  await ward.saySeconds('mon-9', sick, 10);
  chart(ward, stay);
  await ward.clock.pass(16 * 60_000);
  expect(news2(scores)).toMatchObject({ total: null, old: ['rr', 'spo2', 'pulse'] });
  const { [NIBP]: _cuff, ...monitor } = sick;
  ward.say('mon-9', monitor);
  expect(news2(scores).total).toBe(11);
  await ward.clock.pass(46 * 60_000);
  ward.say('mon-9', monitor);
  expect(news2(scores)).toMatchObject({ total: null, old: ['oxygen', 'sys', 'acvpu'] });
});

test('the median of five minutes is scored, not the newest spike', async () => {
  const { ward, stay, scores } = await atTheBed();
  await ward.saySeconds('mon-9', { ...sick, [HR]: 80 }, 300);
  chart(ward, stay);
  await ward.saySeconds('mon-9', { ...sick, [HR]: 140 }, 5);
  expect(news2(scores).parts.find((part) => part.part === 'pulse')).toMatchObject({ value: 80, points: 0 });
});

test('FiO2 above 21 % is oxygen, whatever was charted', async () => {
  const { ward, stay, scores } = await atTheBed();
  await ward.saySeconds('mon-9', { ...sick, MDC_CONC_AWAY_O2_INSP: 40 }, 5);
  ward.say(`charted-${stay}`, { acvpu: { code: 'A' }, 'oxygen-flow': 0 });
  expect(news2(scores).parts.find((part) => part.part === 'oxygen')).toMatchObject({
    code: 'oxygen',
    points: 2,
  });
});

test('scale 2 is set by a physician with a reason, kept over a restart, and never inferred', async () => {
  const { ward, stay, scores } = await atTheBed();
  await ward.saySeconds('mon-9', { ...sick, [SPO2]: 90 }, 10);
  chart(ward, stay);
  expect(news2(scores).parts.find((part) => part.part === 'spo2')?.points).toBe(3);
  await scores.set({ id: 'dr-wu' }, stay, { scale: 2 }, 'hypercapnic failure, target 88 to 92');
  expect(scores.at('bed-9').settings).toMatchObject({ scale: 2, setBy: 'dr-wu' });
  expect(news2(scores).parts.find((part) => part.part === 'spo2')?.points).toBe(0);
  const again = await ward.openScores();
  expect(again.at('bed-9').settings).toMatchObject({
    scale: 2,
    reason: 'hypercapnic failure, target 88 to 92',
  });
});

test('a running figure never rings; a set that a nurse confirmed does, until she confirms a better one', async () => {
  const { ward, stay, scores } = await atTheBed();
  await ward.census.setWardSettings(anna, 'icu', { rules: [rule] }, 'x');
  await ward.saySeconds('mon-9', sick, 10);
  expect(await scores.confirm(anna, 'bed-9', { score: 'news2', total: 11, parts: {} })).toBe('incomplete');
  chart(ward, stay);
  await ward.clock.pass(2_000);
  expect(ward.present()).toEqual([]);
  const seen = { score: 'news2', total: 11, parts: pointsOf(scores) };
  expect(await scores.confirm(anna, 'bed-9', { ...seen, total: 10 })).toBe('changed');
  expect(await scores.confirm(anna, 'bed-9', seen)).toMatchObject({ total: 11, by: 'anna', scale: 1 });
  expect(ward.one('score')).toMatchObject({
    priority: 'medium',
    value: 11,
    limit: 7,
    details: { total: 11 },
  });

  // Acknowledged it is quiet until the next set, however long that is; a set as bad rings again.
  ward.alarms.acknowledge(ward.one('score').id, anna);
  await ward.clock.pass(700_000);
  expect(ward.one('score').inactivation).toBe('acknowledged');
  await ward.saySeconds('mon-9', sick, 10);
  await scores.confirm(anna, 'bed-9', seen);
  expect(ward.one('score').inactivation).toBe('enabled');
  const well = { [RR]: 16, [SPO2]: 97, [HR]: 80, [NIBP]: 120, [TEMP]: 37 };
  await ward.saySeconds('mon-9', well, 310);
  const better = { score: 'news2', total: news2(scores).total ?? -1, parts: pointsOf(scores) };
  expect(better.total).toBe(2);
  await scores.confirm(anna, 'bed-9', better);
  expect(ward.present()).toEqual([]);
});

test('it is refused under 16 and in pregnancy, and warns where it misleads', async () => {
  const young = await atTheBed('2015-01-01');
  await young.ward.saySeconds('mon-9', sick, 5);
  chart(young.ward, young.stay);
  expect(news2(young.scores)).toMatchObject({ refused: 'under-16', total: null });
  expect(await young.scores.confirm(anna, 'bed-9', { score: 'news2', total: 11, parts: {} })).toBe(
    'score-refused',
  );
  expect(young.scores.at('bed-9').scores.map((one) => one.chart)).toEqual(['news2', 'pews-5-11y']);

  const { ward, stay, scores } = await atTheBed();
  await ward.census.setProfile(anna, stay, 'obstetric');
  expect(news2(scores)).toMatchObject({ refused: 'pregnancy' });
  expect(scores.at('bed-9').scores.map((one) => one.score)).toEqual(['news2', 'meows']);
  await ward.census.setProfile(anna, stay, 'adult');
  await scores.set({ id: 'dr-wu' }, stay, { spinalInjury: true }, 'C5');
  ward.say('mon-9', { MDC_VENT_PRESS_AWAY_END_EXP_POS: 8 });
  expect(news2(scores).warnings).toEqual(['spinal-injury', 'ventilated']);
});

test('values of the patient before are no part of the next one’s score', async () => {
  const { ward, scores } = await atTheBed();
  await ward.saySeconds('mon-9', sick, 5);
  const [open] = ward.census.associations({ open: true });
  await ward.census.endAssociation(anna, open?.id ?? '', {});
  await ward.clock.pass(1_000);
  await ward.census.associate(anna, { device: 'mon-9', bed: 'bed-9' });
  expect(news2(scores).missing).toHaveLength(7);
});
