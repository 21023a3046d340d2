import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openCensus } from '../../../gateway/census/census.ts';
import { anna, countedChance } from '../../house/alarm-house.ts';
import { memoryRows } from '../../house/memory-rows.ts';
import { virtualClock } from '../../house/virtual-clock.ts';

// Goal: nothing is ever under the wrong patient. Way: random histories of admitting, associating, ending,
// transferring and discharging, with begins and ends in the past; beside the census a plain list of who a nurse put
// on which device from when to when, asked instant by instant.

const devices = ['mon-1', 'mon-2', 'mon-3'];
const beds = ['bed-1', 'bed-2', 'bed-3', 'bed-4'];

const acts = fc.array(
  fc.record({
    what: fc.constantFrom(
      'admit',
      'associate',
      'associate',
      'associate',
      'end',
      'end',
      'transfer',
      'discharge',
    ),
    device: fc.nat(devices.length - 1),
    bed: fc.nat(beds.length - 1),
    pick: fc.nat(1_000),
    backMs: fc.constantFrom(0, 0, 1, 30_000, 90_000),
    waitMs: fc.constantFrom(0, 1, 10_000, 60_000),
    anonymous: fc.boolean(),
  }),
  { maxLength: 60 },
);

interface Held {
  readonly device: string;
  readonly bed: string;
  readonly encounter: string | undefined;
  readonly patient: string | undefined;
  readonly fromMs: number;
  toMs: number;
}

const at = <T>(list: readonly T[], index: number): T | undefined => list[index % Math.max(1, list.length)];

test('random histories attribute every instant to whom the nurse put there, and to nobody else', async () => {
  await fc.assert(
    fc.asyncProperty(acts, async (history) => {
      const clock = virtualClock();
      const startMs = clock.nowMs();
      const rows = memoryRows();
      const chance = countedChance();
      const options = { rows, clock, chance, audit: () => undefined };
      const census = await openCensus(options);
      await census.addWard(anna, { id: 'w', name: 'w', profile: 'adult' });
      for (const id of beds) await census.addBed(anna, { id, ward: 'w', label: id });
      const truth: (Held & { id: string })[] = [];
      let mrns = 0;

      for (const act of history) {
        clock.passSync(act.waitMs);
        const nowMs = clock.nowMs();
        const bed = beds[act.bed] ?? '';
        const device = devices[act.device] ?? '';
        const stays = census.encounters({ open: true });
        if (act.what === 'admit') {
          await census.admit(anna, { ward: 'w', bed, patient: { mrn: `m${mrns++ % 4}` } });
        } else if (act.what === 'transfer') {
          await census.transfer(anna, at(stays, act.pick)?.id ?? '', { ward: 'w', bed });
        } else if (act.what === 'discharge') {
          await census.discharge(anna, at(stays, act.pick)?.id ?? '', {});
        } else if (act.what === 'associate') {
          const stay = act.anonymous ? undefined : at(stays, act.pick);
          const fromMs = nowMs - act.backMs;
          // One that ended when it began never held.
          const held = truth.filter((one) => one.device === device && one.toMs > one.fromMs);
          const free = held.every((one) => one.toMs <= fromMs);
          const outcome = await census.associate(anna, {
            device,
            bed,
            ...(stay ? { encounter: stay.id } : {}),
            beginAtMs: fromMs,
          });
          expect(typeof outcome === 'string').toBe(!free);
          if (typeof outcome !== 'string') {
            const { id } = outcome;
            truth.push({
              id,
              device,
              bed,
              encounter: stay?.id,
              patient: stay?.patient,
              fromMs,
              toMs: Infinity,
            });
          }
        } else {
          const open = truth.filter((one) => one.toMs === Infinity);
          const ended = at(open, act.pick);
          await census.endAssociation(anna, ended?.id ?? '', { endAtMs: nowMs - act.backMs });
          if (ended) ended.toMs = Math.max(ended.fromMs, nowMs - act.backMs);
        }
      }

      const again = await openCensus({ ...options, rows: rows.killed() });
      const endMs = clock.nowMs() + 1;
      const edges = truth.flatMap((one) => [one.fromMs, one.toMs]).filter(Number.isFinite);
      const instants = [startMs - 100_000, endMs, ...edges.flatMap((edge) => [edge - 1, edge, edge + 1])];
      for (const instant of instants) {
        for (const device of devices) {
          const held = truth.filter(
            (one) => one.device === device && one.fromMs <= instant && instant < one.toMs,
          );
          expect(held.length).toBeLessThanOrEqual(1);
          for (const book of [census, again]) {
            const said = book.whoWasOn(device, instant);
            expect([said?.bed, said?.encounter, said?.patient]).toEqual([
              held[0]?.bed,
              held[0]?.encounter,
              held[0]?.patient,
            ]);
          }
        }
      }
      // A patient's spans are exactly the truth's, and a device's cover all of its time once.
      const patients = new Set(truth.flatMap((one) => one.patient ?? []));
      const whole = (spans: readonly { device: string; fromMs: number; toMs: number }[]): string[] =>
        spans.map((span) => `${span.device} ${span.fromMs} ${span.toMs}`).sort();
      for (const patient of patients) {
        const mine = truth
          .filter((one) => one.patient === patient)
          .map((one) => ({ ...one, fromMs: Math.max(one.fromMs, startMs), toMs: Math.min(one.toMs, endMs) }))
          .filter((one) => one.fromMs < one.toMs);
        expect(whole(census.spansOf({ patient }, startMs, endMs))).toEqual(whole(mine));
      }
      for (const device of devices) {
        let reachedMs = startMs;
        for (const span of census.spansOf({ device }, startMs, endMs)) {
          expect(span.fromMs).toBe(reachedMs);
          reachedMs = span.toMs;
        }
        expect(reachedMs).toBe(endMs);
      }
    }),
    { numRuns: 200 },
  );
});
