import { join } from 'node:path';
import type { Cancel, Clock } from '../model/clock.ts';
import type { Chance } from '../model/ids.ts';
import { seededChance } from './chance.ts';
import { playMasimo } from './masimo.ts';
import { createMischief, type Mischief, type MischiefKind, type MischiefOptions } from './mischief.ts';
import { openModbusMonitor } from './modbus-monitor.ts';
import { openOpcuaMonitor } from './opcua-monitor.ts';
import { playPatient, type PatientSource } from './patient.ts';
import { loadRecording, recordingNames } from './recording.ts';
import { openSerialLine, type SerialLineOptions } from './serial-line.ts';
import { openWireProxy } from './wire-proxy.ts';
import { startWearable, type Wearable, type WearableOptions } from './wearable.ts';

export type BedKind = 'masimo' | 'modbus' | 'opcua' | 'wearable';

/** Who lies where, and how to reach the device at the bed: what a registration needs. */
export interface WardBed {
  /** `01`, `02`, … */
  readonly bed: string;
  readonly kind: BedKind;
  readonly recording: string;
  /** Absent for a wearable: it speaks the device contract itself. */
  readonly driver?: 'masimo' | 'modbus' | 'opcua';
  /** The driver's settings for this bed; empty for a wearable. */
  readonly settings: Readonly<Record<string, string | number>>;
  /** A wearable's only: takes its credentials and starts sending. */
  readonly wear?: (link: WearableLogin) => Wearable;
}

export type WearableLogin = Pick<WearableOptions, 'url' | 'clientId' | 'secret'>;

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
  /** Same seed, same offsets, boot ids and mischief; default 1. */
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

/** Beds 1 to 8. Bed 3 is above 120 /min from 35 s on; bed 1 falls to 88 % in its first seconds. */
const standing: readonly { readonly kind: BedKind; readonly recording: string; readonly offsetS?: number }[] =
  [
    { kind: 'masimo', recording: 'icu_b22_1s' },
    { kind: 'masimo', recording: 'icu_b19_1s' },
    { kind: 'modbus', recording: 'icu_b21_1s' },
    // Hourly charted: a quiet hour with cuff pressure and temperature, five minutes after its charting.
    { kind: 'modbus', recording: 'icu_s02_1h', offsetS: 9 * 3_600 + 300 },
    { kind: 'opcua', recording: 'icu_b13_1s' },
    // Charted each minute: all measured, a cuff pressure of 30 s ago, the next ones every five minutes.
    { kind: 'opcua', recording: 'icu_m1_1min', offsetS: 6_420 + 30 },
    { kind: 'wearable', recording: 'icu_b01_1s' },
    { kind: 'wearable', recording: 'icu_b04_1s' },
  ];

interface Place {
  readonly bed: string;
  readonly kind: BedKind;
  readonly recording: string;
  readonly patient: PatientSource;
}

/** What one kind's beds came to: how to reach them, their wires, and how to end them. */
interface Opened {
  readonly beds: readonly WardBed[];
  readonly wires: ReadonlyMap<string, Mischief>;
  close(): Promise<void>;
}

/** Opens the simulated ward on loopback; every recording starts with it. Throws SIM_… faults, and leaves nothing open then. */
export async function openWard(options: WardOptions): Promise<Ward> {
  const { clock } = options;
  const chance = seededChance(options.seed ?? 1);
  const places = layBeds(options, chance);
  const ofKind = (kind: BedKind): readonly Place[] => places.filter((place) => place.kind === kind);
  const given: Given = { options, clock, chance };

  const opened: Opened[] = [];
  const close = async (): Promise<void> => {
    for (const part of opened.splice(0).reverse()) await part.close();
  };
  try {
    for (const place of ofKind('masimo')) opened.push(await openMasimoBed(place, given));
    if (ofKind('modbus').length > 0) opened.push(await openModbusBeds(ofKind('modbus'), given));
    if (ofKind('opcua').length > 0) opened.push(await openOpcuaBeds(ofKind('opcua'), given));
    for (const place of ofKind('wearable')) opened.push(openWearableBed(place, given));
  } catch (error) {
    await close();
    throw error;
  }
  const wires = new Map(opened.flatMap((part) => [...part.wires]));
  return {
    beds: opened.flatMap((part) => part.beds).sort((one, other) => one.bed.localeCompare(other.bed)),
    mischief: (bed, kind, how) => {
      const wire = wires.get(bed);
      if (!wire) throw new RangeError(`there is no bed ${bed}`);
      return wire.begin(kind, how);
    },
    close,
  };
}

interface Given {
  readonly options: WardOptions;
  readonly clock: Clock;
  readonly chance: Chance;
}

function layBeds(
  { beds = standing.length, clock, speed, recordings = {} }: WardOptions,
  chance: Chance,
): Place[] {
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
    return { bed, kind, recording, patient: playPatient(loaded, { clock, speed, offsetMs }) };
  });
}

async function openMasimoBed({ bed, recording, patient }: Place, given: Given): Promise<Opened> {
  const { options, clock, chance } = given;
  const line = await openSerialLine({
    folder: join(options.folder, 'serial'),
    name: `bed-${bed}`,
    kind: options.serial,
  });
  const mischief = createMischief({ clock, chance });
  // A cable is pulled and put back one after the other, however quickly it is asked for.
  let hand: Promise<void> = Promise.resolve();
  mischief.onCut((cut) => {
    hand = hand.then(() => (cut ? line.hangUp() : line.restore()));
  });
  const wire = mischief.bytes();
  wire.pipe(line.wire);
  const stop = playMasimo(wire, patient, { clock, chance, serial: `00000566${bed}` });
  return {
    beds: [{ bed, kind: 'masimo', recording, driver: 'masimo', settings: { port: line.address } }],
    wires: new Map([[bed, mischief]]),
    close: async () => {
      stop();
      mischief.endAll();
      wire.destroy();
      await hand;
      await line.close();
    },
  };
}

async function openModbusBeds(places: readonly Place[], { clock, chance }: Given): Promise<Opened> {
  const mischief = createMischief({ clock, chance });
  const monitor = await openModbusMonitor({ clock, patients: places.map(({ patient }) => patient) });
  const proxy = await openWireProxy({ mischief, targetPort: () => monitor.port });
  return {
    beds: places.map(({ bed, recording }, index) => ({
      bed,
      kind: 'modbus' as const,
      recording,
      driver: 'modbus' as const,
      settings: { port: `tcp://127.0.0.1:${proxy.port}`, unit: index + 1, map: 'generic-vital-signs' },
    })),
    wires: new Map(places.map(({ bed }) => [bed, mischief])),
    close: async () => {
      mischief.endAll();
      await proxy.close();
      await monitor.close();
    },
  };
}

async function openOpcuaBeds(places: readonly Place[], { options, clock, chance }: Given): Promise<Opened> {
  const mischief = createMischief({ clock, chance });
  let behind = 0;
  const proxy = await openWireProxy({ mischief, targetPort: () => behind });
  const monitor = await openOpcuaMonitor({
    clock,
    patients: places.map(({ patient }) => patient),
    pkiFolder: join(options.folder, 'opcua-pki'),
    advertisedPort: proxy.port,
  });
  behind = monitor.port;
  return {
    beds: places.map(({ bed, recording }, index) => ({
      bed,
      kind: 'opcua' as const,
      recording,
      driver: 'opcua' as const,
      settings: { endpoint: monitor.endpoint, map: 'generic-opcua-monitor', root: `monitor${index + 1}` },
    })),
    wires: new Map(places.map(({ bed }) => [bed, mischief])),
    close: async () => {
      mischief.endAll();
      await proxy.close();
      await monitor.close();
    },
  };
}

function openWearableBed({ bed, recording, patient }: Place, { options, clock, chance }: Given): Opened {
  const mischief = createMischief({ clock, chance });
  const worn: Wearable[] = [];
  const wear = (login: WearableLogin): Wearable => {
    const wearable = startWearable({ ...login, patient, clock, chance, mischief });
    worn.push(wearable);
    return wearable;
  };
  const credentials = options.credentials?.[bed];
  if (options.mqttUrl !== undefined && credentials) wear({ url: options.mqttUrl, ...credentials });
  return {
    beds: [{ bed, kind: 'wearable', recording, settings: {}, wear }],
    wires: new Map([[bed, mischief]]),
    close: async () => {
      mischief.endAll();
      await Promise.all(worn.splice(0).map((wearable) => wearable.close()));
    },
  };
}
