import type { Cancel, Clock } from '../model/clock.ts';
import {
  openMasimoBed,
  openModbusBeds,
  openOpcuaBeds,
  openWearableBed,
  type BedKind,
  type BedsideOptions,
  type Opened,
  type Place,
  type WardBed,
} from './bedside.ts';
import { chanceFor, seededChance } from './chance.ts';
import type { MischiefKind, MischiefOptions } from './mischief.ts';
import { playPatient } from './patient.ts';
import { loadRecording, recordingNames } from './recording.ts';
import type { SerialLineOptions } from './serial-line.ts';

export interface Ward {
  readonly beds: readonly WardBed[];
  /**
   * Does mischief to one bed's wire. Beds of one kind behind one port (modbus, opcua) share that wire. Returns its end.
   */
  mischief(bed: string, kind: MischiefKind, options?: MischiefOptions): Cancel;
  close(): Promise<void>;
}

export interface WardOptions {
  /** Default 8; two of each kind, and again from the first kind on. */
  readonly beds?: number;
  readonly clock: Clock;
  /** Recorded seconds a second; default 1. */
  readonly speed?: number;
  /** Same seed, same offsets, made-up parts and mischief; default 1. Boot ids are new each time. */
  readonly seed?: number;
  /** For the serial links and the OPC UA server's keys. */
  readonly folder: string;
  /** With credentials, by bed: those wearables start at once; the others wait for `wear`. */
  readonly mqttUrl?: string;
  readonly credentials?: Readonly<Record<string, { readonly clientId: string; readonly secret: string }>>;
  /** By bed, in place of the standing choice: a recording's name. */
  readonly recordings?: Readonly<Record<string, string>>;
  readonly serial?: SerialLineOptions['kind'];
}

/** Beds 1 to 8. Bed 3 is above 120 /min from 35 s on; bed 1 falls to 88 % at 49 s. */
const standing: readonly (Pick<Place, 'recording' | 'waves'> & {
  readonly kind: BedKind;
  readonly offsetS?: number;
})[] = [
  { kind: 'masimo', recording: 'icu_b22_1s' },
  { kind: 'masimo', recording: 'icu_b19_1s' },
  { kind: 'modbus', recording: 'icu_b21_1s' },
  // Hourly charted: a quiet hour with cuff pressure and temperature, five minutes after its charting.
  { kind: 'modbus', recording: 'icu_s02_1h', offsetS: 9 * 3_600 + 300 },
  { kind: 'opcua', recording: 'icu_b13_1s' },
  // Charted each minute: all measured, a cuff pressure of 30 s ago, the next ones every five minutes.
  { kind: 'opcua', recording: 'icu_m1_1min', offsetS: 6_420 + 30 },
  // Values and waves of one patient.
  {
    kind: 'wearable',
    recording: 'icu_b01_1s',
    waves: { record: 'icu_b01', channels: ['ii', 'pleth', 'resp'] },
  },
  // Waves of another patient than the values: of icu_b04 there are none.
  { kind: 'wearable', recording: 'icu_b04_1s', waves: { record: 'icu_x1', channels: ['ii', 'pleth'] } },
];

interface WardPlace extends Place {
  readonly kind: BedKind;
}

/** Opens the simulated ward on loopback; every recording starts with it. Throws SIM_… faults, and leaves nothing open then. */
export async function openWard(options: WardOptions): Promise<Ward> {
  const { clock } = options;
  const seed = options.seed ?? 1;
  const places = layBeds(options, seed);
  const ofKind = (kind: BedKind): readonly WardPlace[] => places.filter((place) => place.kind === kind);
  const { folder, serial } = options;
  const given = (name: string): BedsideOptions => ({ clock, chance: chanceFor(seed, name), folder, serial });

  const opened: Opened[] = [];
  const close = async (): Promise<void> => {
    for (const part of opened.splice(0).reverse()) await part.close();
  };
  try {
    for (const place of ofKind('masimo')) opened.push(await openMasimoBed(place, given(place.bed)));
    if (ofKind('modbus').length > 0) opened.push(await openModbusBeds(ofKind('modbus'), given('modbus')));
    if (ofKind('opcua').length > 0) opened.push(await openOpcuaBeds(ofKind('opcua'), given('opcua')));
    for (const place of ofKind('wearable')) opened.push(openWearableBed(place, given(place.bed)));
  } catch (error) {
    await close();
    throw error;
  }
  const beds = opened.flatMap((part) => part.beds).sort((one, other) => one.bed.localeCompare(other.bed));
  const { mqttUrl, credentials = {} } = options;
  for (const { bed, wear } of beds) {
    const login = credentials[bed];
    if (mqttUrl !== undefined && login) wear?.({ url: mqttUrl, ...login });
  }
  const wires = new Map(opened.flatMap((part) => [...part.wires]));
  return {
    beds,
    mischief: (bed, kind, how) => {
      const wire = wires.get(bed);
      if (!wire) throw new RangeError(`there is no bed ${bed}`);
      return wire.begin(kind, how);
    },
    close,
  };
}

function layBeds(
  { beds = standing.length, clock, speed, recordings = {} }: WardOptions,
  seed: number,
): WardPlace[] {
  const chance = seededChance(seed);
  const others = recordingNames().filter((name) => name.endsWith('_1s'));
  return Array.from({ length: beds }, (_, index) => {
    const bed = String(index + 1).padStart(2, '0');
    const kind = standing[index % standing.length]?.kind ?? 'masimo';
    const plan = standing[index];
    const recording = recordings[bed] ?? plan?.recording ?? others[index % others.length] ?? 'icu_b02_1s';
    const loaded = loadRecording(recording);
    // Only a standing patient begins where the story is; others lie anywhere in their recording.
    const asPlanned = plan !== undefined && recording === plan.recording;
    const drawnMs = Math.floor(chance.fraction() * loaded.lengthMs);
    const offsetMs = asPlanned ? (plan.offsetS ?? 0) * 1_000 : recordings[bed] !== undefined ? 0 : drawnMs;
    const waves = asPlanned ? plan.waves : undefined;
    return { bed, kind, recording, waves, patient: playPatient(loaded, { clock, speed, offsetMs }) };
  });
}
