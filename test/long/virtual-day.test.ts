import { describe, expect, test } from 'vitest';
import type { Priority } from '../../model/alarm.ts';
import { seededChance } from '../../simulators/chance.ts';
import { HR, nameOf, openWard, RR, SPO2, type AlarmHouse, type Said } from '../house/alarm-house.ts';
import { adult, Reading, type Band } from '../house/second-reading.ts';

// Goal: over a whole day, with cables pulled, sensors off and the gateway killed, exactly the alarms ring that the
// rules ask for: none missing at any second, none too many.
// Way: the real census and alarm engine on a virtual clock, beside a short second reading of CLINICAL 3.
interface Patient {
  readonly device: string;
  readonly bed: string;
  readonly readings: readonly { readonly band: Band; readonly reading: Reading }[];
  values: Record<string, number>;
  aim: Record<string, number>;
  silentUntil: number;
  sensorOffUntil: number;
}

const ranges: Readonly<Record<string, readonly [number, number]>> = {
  [HR]: [30, 170],
  [SPO2]: [78, 100],
  [RR]: [2, 42],
};
const calm: Readonly<Record<string, number>> = { [HR]: 80, [SPO2]: 97, [RR]: 16 };

function wander(patient: Patient, chance: { fraction(): number }): void {
  for (const [metric, [low, high]] of Object.entries(ranges)) {
    if (chance.fraction() < 0.002)
      patient.aim[metric] =
        chance.fraction() < 0.6 ? (calm[metric] ?? 0) : low + chance.fraction() * (high - low);
    const value = patient.values[metric] ?? 0;
    const aim = patient.aim[metric] ?? value;
    patient.values[metric] = Math.round(
      Math.min(high, Math.max(low, value + (aim - value) * 0.1 + (chance.fraction() - 0.5) * 6)),
    );
  }
}

function speak(ward: AlarmHouse, patient: Patient, second: number, chance: { fraction(): number }): void {
  if (second < patient.silentUntil) return;
  const atMs = ward.clock.nowMs();
  const said: Record<string, Said> = {};
  for (const metric of Object.keys(ranges)) {
    const value = patient.values[metric] ?? 0;
    if (metric === SPO2 && second < patient.sensorOffUntil) {
      said[metric] = { value: null, reason: 'sensor-off' };
      continue;
    }
    const impossible = chance.fraction() < 0.002;
    const questionable = chance.fraction() < 0.01;
    said[metric] = impossible
      ? { value: 9_999, validity: 'invalid' }
      : { value, validity: questionable ? 'questionable' : 'valid' };
    if (impossible) continue;
    for (const { band: own, reading } of patient.readings)
      if (own.metric === metric) reading.sample(atMs, value, questionable);
  }
  ward.say(patient.device, said);
}

/** What must be present at this bed: metric and direction, with the highest priority of its bands. */
function expected(patient: Patient): string[] {
  const found = new Map<string, Priority>();
  for (const { band: own, reading } of patient.readings) {
    if (reading.present && found.get(`${own.metric} ${own.direction}`) !== 'high')
      found.set(`${own.metric} ${own.direction}`, own.priority);
  }
  return [...found].map(([name, priority]) => `${name} ${priority}`).sort();
}

const shown = (ward: AlarmHouse, bed: string): string[] =>
  ward.alarms
    .active({ bed })
    .filter((alarm) => alarm.condition === 'limit')
    .map((alarm) => `${alarm.metric} ${alarm.direction} ${alarm.priority}`)
    .sort();

async function live(
  seed: number,
  beds: number,
  hours: number,
): Promise<{ raised: number; restarts: number }> {
  const chance = seededChance(seed);
  let ward = await openWard(beds);
  let raised = 0;
  let restarts = 0;
  const patients: Patient[] = Array.from({ length: beds }, (_, at) => ({
    device: `mon-${at + 1}`,
    bed: `bed-${at + 1}`,
    readings: adult.map((own) => ({ band: own, reading: new Reading(own) })),
    values: { ...calm },
    aim: { ...calm },
    silentUntil: 0,
    sensorOffUntil: 0,
  }));
  for (let second = 0; second < hours * 3_600; second++) {
    for (const patient of patients) {
      wander(patient, chance);
      if (chance.fraction() < 0.0005)
        patient.silentUntil =
          second + (chance.fraction() < 0.5 ? 8 : 20 + Math.floor(chance.fraction() * 100));
      if (chance.fraction() < 0.0005)
        patient.sensorOffUntil = second + 20 + Math.floor(chance.fraction() * 100);
      speak(ward, patient, second, chance);
      expect([seed, second, patient.bed, shown(ward, patient.bed)]).toEqual([
        seed,
        second,
        patient.bed,
        expected(patient),
      ]);
    }
    await ward.clock.pass(1_000);
    if (chance.fraction() < 1 / 7_200) {
      raised += ward.told.filter(
        (one) => one.cause === 'raised' && nameOf(one.alarm).startsWith('limit'),
      ).length;
      ward = await ward.restart(3_000);
      restarts += 1;
      for (const patient of patients) for (const { reading } of patient.readings) reading.restart();
    }
  }
  raised += ward.told.filter((one) => one.cause === 'raised' && nameOf(one.alarm).startsWith('limit')).length;
  ward.alarms.close();
  return { raised, restarts };
}

describe('a day on the ward', () => {
  test.each([1, 2, 3])(
    'with seed %d rings what the rules ask for at every second, through restarts',
    async (seed) => {
      const { raised, restarts } = await live(seed, 6, 24);
      expect(raised).toBeGreaterThan(100);
      expect(restarts).toBeGreaterThan(3);
      console.log(`seed ${seed}: ${raised} limit alarms raised, ${restarts} restarts, 6 beds, 24 h`);
    },
  );
});
