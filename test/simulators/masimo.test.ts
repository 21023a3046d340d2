import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { seededChance } from '../../simulators/chance.ts';
import { defaultLimits, masimoLine, playMasimo } from '../../simulators/masimo.ts';
import type { Numerics, Patient } from '../../simulators/recording.ts';
import { virtualClock } from '../house/virtual-clock.ts';

const lying = (seen: Numerics): Patient => ({ seen, measured: new Set() });
const facts = {
  atMs: Date.UTC(2016, 1, 22, 22, 47, 45),
  serial: '0000056661',
  perfusion: 3.6,
  limits: defaultLimits,
};

describe('a line of the oximeter', () => {
  test('has the form captured from a real one', () => {
    expect(masimoLine(lying({ spo2: 98, pr: 97 }), facts)).toBe(
      '02/22/16 22:47:45 SN=0000056661 SPO2=098% BPM=097 PI=03.60% SPCO=--.-% SPMET=--.-% DESAT=-- PIDELTA=+-- ALARM=0000 EXC=000800',
    );
  });

  test('says sensor off when saturation and pulse are both missing', () => {
    const line = masimoLine(lying({}), facts);
    expect(line).toContain('SPO2=---% BPM=--- PI=--.-%');
    expect(line).toContain('ALARM=0000 EXC=000820');
  });

  test.each([
    [{ spo2: 98 }, 'SPO2=098% BPM=---'],
    [{ pr: 60 }, 'SPO2=---% BPM=060'],
  ])('says pulse search when one of the two is missing', (seen, values) => {
    const line = masimoLine(lying(seen), facts);
    expect(line).toContain(values);
    expect(line).toContain('EXC=000808');
  });

  test.each([
    [{ spo2: 89, pr: 70 }, '0012'],
    [{ spo2: 90, pr: 141 }, '0014'],
    [{ spo2: 90, pr: 49 }, '0018'],
    [{ spo2: 80, pr: 49 }, '001A'],
    [{ spo2: 90, pr: 50 }, '0000'],
    [{ spo2: 100, pr: 140 }, '0000'],
  ])('tells the alarms of its own limits: %j', (seen, bits) => {
    expect(masimoLine(lying(seen), facts)).toContain(`ALARM=${bits} `);
  });
});

test('the oximeter sends one line a second, by its own clock, and falls silent when it is switched off', () => {
  const clock = virtualClock(Date.UTC(2026, 0, 5, 2, 0, 0));
  const wire = new PassThrough({ encoding: 'latin1' });
  const stop = playMasimo(wire, () => lying({ spo2: 97, pr: 60 }), {
    clock,
    chance: seededChance(1),
    clockOffsetMs: -3_600_000,
  });
  clock.passSync(2_500);
  stop();
  clock.passSync(5_000);
  const lines = String(wire.read()).split('\r\n');
  expect(lines.map((line) => line.slice(0, 17))).toEqual([
    '01/05/26 01:00:00',
    '01/05/26 01:00:01',
    '01/05/26 01:00:02',
    '',
  ]);
});

test('the same seed makes the same perfusion, another another', () => {
  const said = (seed: number): string => {
    const clock = virtualClock();
    const wire = new PassThrough({ encoding: 'latin1' });
    playMasimo(wire, () => lying({ spo2: 97, pr: 60 }), { clock, chance: seededChance(seed) });
    clock.passSync(10_000);
    return String(wire.read());
  };
  expect(said(7)).toBe(said(7));
  expect(said(7)).not.toBe(said(8));
});
