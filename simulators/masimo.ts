import type { Writable } from 'node:stream';
import type { Cancel, Clock } from '../model/clock.ts';
import type { Chance } from '../model/ids.ts';
import type { Patient } from './recording.ts';
import { atOnceAndEvery, type PatientSource } from './patient.ts';

/** The oximeter's own alarm limits; at or inside is quiet. */
export interface OximeterLimits {
  readonly spo2Low: number;
  readonly pulseLow: number;
  readonly pulseHigh: number;
}
export const defaultLimits: OximeterLimits = { spo2Low: 90, pulseLow: 50, pulseHigh: 140 };

export interface OximeterOptions {
  readonly clock: Clock;
  readonly chance: Chance;
  /** Ten digits. */
  readonly serial?: string;
  readonly limits?: OximeterLimits;
  /** What the device's own clock is off by; bedside clocks often are. */
  readonly clockOffsetMs?: number;
}

/** Status bits of ALARM and EXC (devices.md 5.2). 0x800 stands always on some units and is no fault. */
const alarm = { spo2Low: 0x02, pulseHigh: 0x04, pulseLow: 0x08, triggered: 0x10 };
const exception = { pulseSearch: 0x008, sensorOff: 0x020, masimoSet: 0x800 };

/** Speaks Masimo ASCII1 (9600 8N1, CRLF, one line a second) until cancelled. */
export function playMasimo(wire: Writable, patient: PatientSource, options: OximeterOptions): Cancel {
  const perfusion = driftingPerfusion(options.chance);
  return atOnceAndEvery(options.clock, 1_000, () => {
    const line = masimoLine(patient(), {
      atMs: options.clock.nowMs() + (options.clockOffsetMs ?? 0),
      serial: options.serial ?? '0000056661',
      perfusion: perfusion(),
      limits: options.limits ?? defaultLimits,
    });
    wire.write(`${line}\r\n`, 'latin1');
  });
}

interface LineFacts {
  /** Printed as the device's local time text; the simulated device stands in UTC. */
  readonly atMs: number;
  readonly serial: string;
  /** Perfusion index, %. */
  readonly perfusion: number;
  readonly limits: OximeterLimits;
}

/** One line without its CRLF. SpO2 and pulse both missing is the sensor off, one of them a pulse search. */
export function masimoLine({ seen }: Patient, { atMs, serial, perfusion, limits }: LineFacts): string {
  const { spo2, pr } = seen;
  const sensorOff = spo2 === undefined && pr === undefined;
  const searching = !sensorOff && (spo2 === undefined || pr === undefined);
  const exc =
    exception.masimoSet | (sensorOff ? exception.sensorOff : 0) | (searching ? exception.pulseSearch : 0);
  return [
    dateTime(atMs),
    `SN=${serial}`,
    `SPO2=${spo2 === undefined ? '---' : whole(spo2)}%`,
    `BPM=${pr === undefined ? '---' : whole(pr)}`,
    `PI=${sensorOff ? '--.-' : perfusion.toFixed(2).padStart(5, '0')}%`,
    'SPCO=--.-%',
    'SPMET=--.-%',
    'DESAT=--',
    'PIDELTA=+--',
    `ALARM=${hex(alarmBits(spo2, pr, limits), 4)}`,
    `EXC=${hex(exc, 6)}`,
  ].join(' ');
}

function alarmBits(spo2: number | undefined, pr: number | undefined, limits: OximeterLimits): number {
  let bits = 0;
  if (spo2 !== undefined && spo2 < limits.spo2Low) bits |= alarm.spo2Low;
  if (pr !== undefined && pr > limits.pulseHigh) bits |= alarm.pulseHigh;
  if (pr !== undefined && pr < limits.pulseLow) bits |= alarm.pulseLow;
  return bits === 0 ? 0 : bits | alarm.triggered;
}

/** `02/22/16 22:47:45`: month first, two-digit year, no zone. */
function dateTime(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = [at.getUTCMonth() + 1, at.getUTCDate(), at.getUTCFullYear() % 100].map(two).join('/');
  const time = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()].map(two).join(':');
  return `${date} ${time}`;
}

const whole = (value: number): string => String(Math.round(value)).padStart(3, '0');
const hex = (bits: number, digits: number): string => bits.toString(16).toUpperCase().padStart(digits, '0');

/** The recordings hold no perfusion index: this one is made up, a slow seeded walk between 0.5 and 8 %. */
function driftingPerfusion(chance: Chance): () => number {
  let perfusion = 2 + 3 * chance.fraction();
  return () => {
    perfusion = Math.min(8, Math.max(0.5, perfusion + (chance.fraction() - 0.5) * 0.1));
    return perfusion;
  };
}
