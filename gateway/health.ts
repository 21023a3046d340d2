import type { FaultReport } from '../model/fault.ts';

export type Light = 'green' | 'yellow' | 'red';
export interface Part {
  readonly part: string;
  readonly status: Light;
  readonly says: string;
  readonly fault?: FaultReport;
}

interface StoreHealth {
  readonly lagMs: number;
  readonly fault?: FaultReport;
  readonly silentForMs: number;
  /** Deleted since the start because their time was over. */
  readonly expired?: number;
}

/** What the house knows of itself at this moment; each is asked for when the page is. */
export interface HealthSources {
  readonly recording: () => boolean;
  readonly recordingFault: () => FaultReport | undefined;
  readonly door: () => { signedIn: number; pending: number; refusals: Readonly<Record<string, number>> };
  readonly historian: () => StoreHealth;
  readonly waveforms: () => StoreHealth;
  readonly rows: () => { waiting: number; fault?: FaultReport; silentForMs: number };
  readonly hosts: () => readonly { host: string; up: boolean; recording: boolean; undelivered: number }[];
  readonly devices: () => readonly { device: string; link: string; refusals: number }[];
  readonly clockOffsetMs: () => number;
  readonly openLosses: () => number;
  /** Undefined: no second folder is configured. */
  readonly copy: () => { ageMs: number; fault?: FaultReport } | undefined;
  /** Time-series servers. */
  readonly sinks: () => readonly Part[];
  readonly screens: () => readonly { readonly canRing: boolean; readonly kind: string }[];
}

const workerSilentMs = 10_000;
const lagYellowMs = 2_000;
const lagRedMs = 60_000;
const clockYellowMs = 5_000;
const copyYellowMs = 60_000;

/** The data's path, hop by hop; the page is as bad as its worst hop. It tells no patient and no value. */
export function healthParts(sources: HealthSources): Part[] {
  return [
    frontDoor(sources),
    journal(sources),
    store('historian', sources.historian()),
    store('waveforms', sources.waveforms()),
    ...sources.sinks(),
    rows(sources),
    ...hosts(sources),
    devices(sources),
    ...copy(sources),
    screens(sources),
    clock(sources),
  ];
}

export const worst = (parts: readonly Part[]): Light =>
  parts.some((part) => part.status === 'red')
    ? 'red'
    : parts.some((part) => part.status === 'yellow')
      ? 'yellow'
      : 'green';

function frontDoor({ door }: HealthSources): Part {
  const { signedIn, pending, refusals } = door();
  const refused = Object.values(refusals).reduce((sum, count) => sum + count, 0);
  return {
    part: 'front door',
    status: 'green',
    says: `${signedIn} clients, ${pending} messages unconfirmed, ${refused} refusals since the start`,
  };
}

function journal({ recording, recordingFault, openLosses }: HealthSources): Part {
  const losses = openLosses();
  if (recording()) {
    const says = losses === 0 ? 'recording' : `recording; ${losses} entries wait for the lasting loss ledger`;
    return { part: 'journal', status: losses === 0 ? 'green' : 'yellow', says };
  }
  return {
    part: 'journal',
    status: 'red',
    says: 'not recording: values are judged and alarms ring, but nothing is kept; the loss ledger says what',
    fault: recordingFault(),
  };
}

function store(part: string, { lagMs, fault, silentForMs, expired = 0 }: StoreHealth): Part {
  const silent = silentForMs > workerSilentMs;
  const status = silent || lagMs > lagRedMs ? 'red' : lagMs > lagYellowMs || fault ? 'yellow' : 'green';
  const gone = expired > 0 ? `; ${expired} observations past their retention deleted since the start` : '';
  const says = silent
    ? `silent for ${Math.round(silentForMs / 1_000)} s`
    : `behind by ${Math.round(lagMs)} ms${gone}`;
  return { part, status, says, fault };
}

function rows(sources: HealthSources): Part {
  const { waiting, fault, silentForMs } = sources.rows();
  const silent = silentForMs > workerSilentMs;
  const status = silent ? 'red' : fault || waiting > 0 ? 'yellow' : 'green';
  const says = silent
    ? `silent for ${Math.round(silentForMs / 1_000)} s`
    : `${waiting} entries wait for the disk`;
  return { part: 'registry and logs', status, says, fault };
}

function hosts(sources: HealthSources): Part[] {
  return sources.hosts().map(({ host, up, recording, undelivered }) => ({
    part: `driver host ${host}`,
    status: !up ? 'red' : recording ? 'green' : 'yellow',
    says: !up
      ? 'not connected'
      : `${undelivered} messages undelivered${recording ? '' : ', its journal does not write'}`,
  }));
}

function devices(sources: HealthSources): Part {
  const all = sources.devices();
  const lost = all.filter((device) => device.link === 'lost').length;
  const refused = all.filter((device) => device.refusals > 0).length;
  const says = `${all.length} registered, ${lost} lost${refused > 0 ? `, ${refused} refused at the door` : ''}`;
  return { part: 'devices', status: lost > 0 ? 'yellow' : 'green', says };
}

function copy(sources: HealthSources): Part[] {
  const status = sources.copy();
  if (!status) return [];
  const { ageMs, fault } = status;
  const late = fault !== undefined || ageMs > copyYellowMs;
  const says = `the second folder is ${Math.round(ageMs / 1_000)} s behind`;
  return [{ part: 'backup copy', status: late ? 'yellow' : 'green', says, fault }];
}

function screens(sources: HealthSources): Part {
  const all = sources.screens();
  const mute = all.filter((screen) => !screen.canRing).length;
  const boards = all.filter((screen) => screen.kind === 'board').length;
  const says = `${all.length - boards} handhelds on shift, ${boards} boards; ${mute} of them cannot ring`;
  return { part: 'handhelds and boards', status: mute > 0 ? 'yellow' : 'green', says };
}

function clock({ clockOffsetMs }: HealthSources): Part {
  const offset = clockOffsetMs();
  const stepped = Math.abs(offset) > clockYellowMs;
  return {
    part: 'clock',
    status: stepped ? 'yellow' : 'green',
    says: stepped
      ? `the machine's clock was set by ${Math.round(offset / 1_000)} s; Vigil follows slowly`
      : 'steady',
  };
}
