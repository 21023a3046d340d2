import { expect, test } from 'vitest';
import { correctedSpans, openCensus, type CensusChange } from '../../../gateway/census/census.ts';
import type { Association } from '../../../model/census.ts';
import { anna, countedChance } from '../../house/alarm-house.ts';
import { memoryRows } from '../../house/memory-rows.ts';
import { virtualClock } from '../../house/virtual-clock.ts';

const hourMs = 3_600_000;

/** Two beds with a patient each, `mon-1` with the first since two hours; now is the third hour. */
async function openRoom() {
  const clock = virtualClock();
  const rows = memoryRows();
  const audit: unknown[] = [];
  const options = { rows, clock, chance: countedChance(), audit: (act: unknown) => audit.push(act) };
  const census = await openCensus(options);
  await census.addWard(anna, { id: 'w', name: 'w', profile: 'adult' });
  const stays: { id: string; patient: string }[] = [];
  for (const id of ['a', 'b']) {
    await census.addBed(anna, { id, ward: 'w', label: id });
    stays.push(must(await census.admit(anna, { ward: 'w', bed: id, patient: { mrn: id } })));
  }
  const [first, second] = stays;
  if (!first || !second) throw new Error('nobody was admitted');
  const startMs = clock.nowMs();
  const begun = must(await census.associate(anna, { device: 'mon-1', bed: 'a', encounter: first.id }));
  clock.passSync(2 * hourMs);
  const changes: CensusChange[] = [];
  census.onChange((change) => changes.push(change));
  const whose = (hours: number) => census.whoWasOn('mon-1', startMs + hours * hourMs)?.encounter;
  return { clock, rows, audit, options, census, first, second, startMs, begun, changes, whose };
}

function must<T>(answer: T): Exclude<T, string> {
  if (typeof answer === 'string') throw new Error(answer);
  return answer as Exclude<T, string>;
}

test('a swap noticed an hour later is set right: both stretches change hands, and back again', async () => {
  const { census, first, second, startMs, begun, whose, clock, rows, options } = await openRoom();
  await census.endAssociation(anna, begun.id, {});
  const other = must(await census.associate(anna, { device: 'mon-1', bed: 'b', encounter: second.id }));
  clock.passSync(hourMs);
  expect([whose(1.5), whose(2.5)]).toEqual([first.id, second.id]);
  // The monitor had gone to the second patient an hour earlier than was said.
  const atMs = startMs + hourMs;
  const overlapping = await census.correctAssociation(anna, other.id, { beginAtMs: atMs, reason: 'swap' });
  expect(overlapping).toBe('overlap');
  must(await census.correctAssociation(anna, begun.id, { endAtMs: atMs, reason: 'swap' }));
  expect(whose(1.5)).toBeUndefined();
  must(await census.correctAssociation(anna, other.id, { beginAtMs: atMs, reason: 'swap' }));
  expect([whose(0.5), whose(1.5), whose(2.5)]).toEqual([first.id, second.id, second.id]);
  const again = await openCensus({ ...options, rows: rows.killed() });
  expect(again.whoWasOn('mon-1', atMs)?.encounter).toBe(second.id);
  const back = { beginAtMs: startMs + 2 * hourMs, reason: 'it was right' };
  const held = must(await census.correctAssociation(anna, other.id, back));
  expect(held.corrections).toMatchObject([
    { beginAtMs: back.beginAtMs, reason: 'swap' },
    { beginAtMs: atMs },
  ]);
  expect(whose(1.5)).toBeUndefined();
});

test('an association that never was is struck out, and the one before it goes on', async () => {
  const { census, first, second, begun, whose } = await openRoom();
  await census.endAssociation(anna, begun.id, {});
  const wrong = must(await census.associate(anna, { device: 'mon-1', bed: 'b', encounter: second.id }));
  const reopened = await census.correctAssociation(anna, begun.id, { reopen: true, reason: 'wrong' });
  expect(reopened).toBe('overlap');
  const struck = { endAtMs: wrong.beginAtMs, reason: 'wrong' };
  must(await census.correctAssociation(anna, wrong.id, struck));
  expect(census.current('mon-1')).toBeUndefined();
  must(await census.correctAssociation(anna, begun.id, { reopen: true, reason: 'wrong' }));
  expect(census.current('mon-1')?.id).toBe(begun.id);
  expect(whose(1)).toBe(first.id);
  expect(census.associations({ bed: 'a', open: true }).map((one) => one.id)).toEqual([begun.id]);
  expect(census.associations({ bed: 'b', open: true })).toEqual([]);
});

test('a stretch that is over may be entered for a stay that is over, where nobody else was', async () => {
  const { census, second, startMs, whose } = await openRoom();
  await census.discharge(anna, second.id, {});
  const past = { device: 'mon-1', bed: 'b', encounter: second.id };
  const span = { beginAtMs: startMs - hourMs, endAtMs: startMs };
  must(await census.associate(anna, { ...past, ...span }));
  expect(whose(-0.5)).toBe(second.id);
  expect(await census.associate(anna, { ...past, ...span, endAtMs: startMs + 1 })).toBe('overlap');
  expect(await census.associate(anna, { ...past, beginAtMs: startMs, endAtMs: startMs - 1 })).toBe(
    'end-before-begin',
  );
});

test('what cannot be is refused in a word each', async () => {
  const { census, begun, clock } = await openRoom();
  const correct = (correction: object, id = begun.id) =>
    census.correctAssociation(anna, id, { reason: 'test', ...correction });
  expect(await correct({ beginAtMs: 1 }, 'none')).toBe('absent');
  expect(await correct({ beginAtMs: begun.beginAtMs })).toBe('unchanged');
  expect(await correct({ beginAtMs: clock.nowMs() + 1 })).toBe('future');
  expect(await correct({ endAtMs: clock.nowMs() + 1 })).toBe('future');
  expect(await correct({ endAtMs: begun.beginAtMs - 1 })).toBe('end-before-begin');
  for (let time = 1; time <= 100; time++)
    expect(typeof (await correct({ beginAtMs: begun.beginAtMs - time }))).toBe('object');
  expect(await correct({ beginAtMs: begun.beginAtMs - 101 })).toBe('too-many-corrections');
});

test('a correction is told when it is on disk, with what it was and why, and stands in the audit', async () => {
  const { census, begun, changes, audit, rows, startMs } = await openRoom();
  rows.refuse(true);
  const wanted = { beginAtMs: startMs - hourMs, endAtMs: startMs + hourMs, reason: 'the note says so' };
  await expect(census.correctAssociation(anna, begun.id, wanted)).rejects.toThrow();
  expect(changes.map((change) => change.kind)).toEqual(['association', 'association']);
  expect(census.association(begun.id)).toEqual(begun);
  rows.refuse(false);
  changes.length = 0;
  must(await census.correctAssociation(anna, begun.id, wanted));
  expect(changes).toMatchObject([
    { kind: 'association' },
    { kind: 'corrected', before: begun, after: { endAtMs: wanted.endAtMs }, reason: wanted.reason },
  ]);
  expect(audit.at(-1)).toMatchObject({ act: 'association.correct', outcome: wanted.reason, before: begun });
});

test('the stretches that changed hands are those one has and the other has not', () => {
  const held = (beginAtMs: number, endAtMs?: number): Association => ({
    id: 'x',
    device: 'd',
    bed: 'b',
    beginAtMs,
    ...(endAtMs === undefined ? {} : { endAtMs }),
    begunBy: 'anna',
  });
  const between = (before: Association, after: Association) => correctedSpans(before, after);
  expect(between(held(10, 20), held(5, 15))).toEqual({ lost: [[15, 20]], gained: [[5, 10]] });
  expect(between(held(10), held(10, 20))).toEqual({ lost: [[20, Infinity]], gained: [] });
  expect(between(held(10, 20), held(10, 10))).toEqual({ lost: [[10, 20]], gained: [] });
  expect(between(held(10, 10), held(10))).toEqual({ lost: [], gained: [[10, Infinity]] });
  const apart = { lost: [[10, 20]], gained: [[30, 40]] };
  expect(between(held(10, 20), held(30, 40))).toEqual(apart);
});

test('a patient who turns out to be another is found under both ids, and a merge is taken back', async () => {
  const { census, first, second, startMs, clock, rows, options, changes } = await openRoom();
  const whole = (patient: string) => census.spansOf({ patient }, startMs, clock.nowMs());
  expect(await census.merge(anna, first.patient, first.patient, 'test')).toBe('same-patient');
  expect(await census.merge(anna, first.patient, 'none', 'test')).toBe('absent');
  expect(must(await census.merge(anna, first.patient, second.patient, 'known now')).id).toBe(second.patient);
  expect(changes).toMatchObject([{ kind: 'merged', into: second.patient, encounters: [first.id] }]);
  expect(await census.merge(anna, second.patient, first.patient, 'a ring')).toBe('same-patient');
  expect(await census.merge(anna, first.patient, second.patient, 'again')).toBe('merged-already');
  const again = await openCensus({ ...options, rows: rows.killed() });
  for (const book of [census, again]) {
    expect(book.whoWasOn('mon-1', startMs)?.patient).toBe(second.patient);
    expect(book.encounter(first.id)?.patient).toBe(second.patient);
    expect(book.patient(first.patient)?.id).toBe(second.patient);
    expect(book.encounters({ patient: first.patient })).toHaveLength(2);
  }
  expect(whole(first.patient)).toEqual(whole(second.patient));
  expect(whole(second.patient)).toHaveLength(1);
  must(await census.unmerge(anna, first.patient, 'no'));
  expect(await census.unmerge(anna, first.patient, 'no')).toBe('not-merged');
  expect(whole(second.patient)).toEqual([]);
  expect(whole(first.patient)).toHaveLength(1);
});

test('a patient merged away who is admitted under the old number is the other one', async () => {
  const { census, first, second } = await openRoom();
  must(await census.merge(anna, first.patient, second.patient, 'the same person'));
  const stay = must(await census.admit(anna, { ward: 'w', patient: { mrn: 'a' } }));
  expect(stay.patient).toBe(second.patient);
  expect(census.patient(stay.patient)?.mrn).toBe('b');
});
