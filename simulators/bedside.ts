import { join } from 'node:path';
import type { Clock } from '../model/clock.ts';
import { systemChance, type Chance } from '../model/ids.ts';
import { playMasimo } from './masimo.ts';
import { createMischief, type Mischief } from './mischief.ts';
import { openModbusMonitor } from './modbus-monitor.ts';
import { openOpcuaMonitor } from './opcua-monitor.ts';
import type { PatientSource } from './patient.ts';
import { openSerialLine, type SerialLine, type SerialLineOptions } from './serial-line.ts';
import { openWireProxy } from './wire-proxy.ts';
import { loadWaves, playWaves } from './waves.ts';
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
  readonly wear?: (login: WearableLogin) => Wearable;
}

export type WearableLogin = Pick<WearableOptions, 'url' | 'clientId' | 'secret'>;

/** A patient in a bed, before there is a device at it. */
export interface Place {
  readonly bed: string;
  readonly recording: string;
  readonly patient: PatientSource;
  /** Recorded waves that a wearable tells too. */
  readonly waves?: { readonly record: string; readonly channels: readonly string[] };
}

/** What one kind's beds came to: how to reach them, their wires, and how to end them. */
export interface Opened {
  readonly beds: readonly WardBed[];
  readonly wires: ReadonlyMap<string, Mischief>;
  close(): Promise<void>;
}

export interface BedsideOptions {
  readonly clock: Clock;
  /** Seeded: jitter, made-up parts, mischief. */
  readonly chance: Chance;
  /** Where boot ids come from; default truly random, for a boot id may never come twice. */
  readonly boots?: Chance;
  /** For serial links and the OPC UA server's keys. */
  readonly folder: string;
  /** TCP port to listen on; 0 or absent is any free one. */
  readonly port?: number;
  readonly serial?: SerialLineOptions['kind'];
  /** Monitors that say of themselves that they are in demo mode. */
  readonly demo?: boolean;
}

/** An oximeter on a serial line: the one given, or one of its own. */
export async function openMasimoBed(
  { bed, recording, patient }: Place,
  { clock, chance, folder, port, serial, line: given }: BedsideOptions & { readonly line?: SerialLine },
): Promise<Opened> {
  const lineOptions = { folder: join(folder, 'serial'), name: `bed-${bed}`, kind: serial, port };
  const line = given ?? (await openSerialLine(lineOptions));
  const mischief = createMischief({ clock, chance });
  // A cable is pulled and put back one after the other, however quickly it is asked for.
  let hand: Promise<void> = Promise.resolve();
  let broken: unknown;
  mischief.onCut((cut) => {
    hand = hand
      .then(() => (cut ? line.hangUp() : line.restore()))
      .catch((error: unknown) => (broken ??= error))
      .then(() => undefined);
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
      // A cable that could not be put back: its bed was silent since, which whoever asked for the cut should know.
      if (broken !== undefined) throw broken;
    },
  };
}

/** One Modbus TCP module, a unit id for each bed. */
export async function openModbusBeds(
  places: readonly Place[],
  { clock, chance, port, demo }: BedsideOptions,
): Promise<Opened> {
  const mischief = createMischief({ clock, chance });
  const monitor = await openModbusMonitor({ clock, demo, patients: places.map(({ patient }) => patient) });
  const proxy = await openWireProxy({ mischief, port, targetPort: () => monitor.port });
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

/** One OPC UA server, a monitor for each bed. */
export async function openOpcuaBeds(
  places: readonly Place[],
  { clock, chance, folder, port, demo }: BedsideOptions,
): Promise<Opened> {
  const mischief = createMischief({ clock, chance });
  let behind = 0;
  const proxy = await openWireProxy({ mischief, port, targetPort: () => behind });
  const monitor = await openOpcuaMonitor({
    clock,
    demo,
    patients: places.map(({ patient }) => patient),
    pkiFolder: join(folder, 'opcua-pki'),
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

/** A wearable; it starts when somebody puts it on with its credentials. */
export function openWearableBed(
  { bed, recording, patient, waves }: Place,
  { clock, chance, boots = systemChance() }: BedsideOptions,
): Opened {
  // From when the patient lies there, so that waves and values of one recording go together.
  const played = waves && playWaves(loadWaves(waves.record, waves.channels), clock);
  const mischief = createMischief({ clock, chance });
  const worn: Wearable[] = [];
  const wear = (login: WearableLogin): Wearable => {
    const boot = boots.hex(64);
    const wearable = startWearable({ ...login, patient, waves: played, clock, chance, mischief, boot });
    worn.push(wearable);
    return wearable;
  };
  return {
    beds: [{ bed, kind: 'wearable', recording, settings: {}, wear }],
    wires: new Map([[bed, mischief]]),
    close: async () => {
      mischief.endAll();
      await Promise.all(worn.splice(0).map((wearable) => wearable.close()));
    },
  };
}
