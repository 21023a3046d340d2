import { chartedFor } from '../model/charted.ts';
import type { SteppedClock } from '../model/clock.ts';
import type { Fault } from '../model/fault.ts';
import type { CensusChange } from './census/census.ts';
import type { House } from './house.ts';
import type { IntakeListeners } from './intake/types.ts';
import type { Log } from './log.ts';

/** A step of the machine's clock beyond this is told. */
const clockStepMs = 2_000;
const settleEveryMs = 5_000;

/** What the intake tells goes to the alarms first, then to the screens. */
export const intakeListeners = (house: House): IntakeListeners => ({
  seriesSeen: (series) => house.alarms.seriesSeen(series),
  messageTaken: (device, receivedAtMs) => {
    house.alarms.messageTaken(device, receivedAtMs);
    const bed = bedOf(house, device);
    if (bed !== undefined) house.live.valuesChanged(bed);
  },
  unusable: (series) => house.alarms.unusable(series),
  waveform: (device, wave, bytes) => house.liveWaves.taken(device, wave, bytes),
  alerts: (device, alerts, complete, takenAtMs) => house.alarms.alerts(device, alerts, complete, takenAtMs),
  deviceState: (device, state) => {
    house.alarms.deviceState(device, state);
    if (state.fault) house.desk.noteReport(device, state.fault);
    const bed = bedOf(house, device);
    if (bed !== undefined) house.live.bedChanged(bed);
  },
});

/** The bed whose tile shows the device: where it is associated, else its fixed place. */
export function bedOf(house: House, device: string): string | undefined {
  const stay = chartedFor(device);
  if (stay !== undefined) return house.census.encounter(stay)?.bed;
  return house.census.current(device)?.bed ?? house.registry.get(device)?.bed;
}

/** Changes of census and alarms reach the live stream in their own tick. */
export function joinLive(house: House): void {
  house.alarms.review.onChange((bed) => house.live.bedChanged(bed));
  house.alarms.onChange((alarm) => house.live.alarmChanged(alarm));
  house.census.onChange((change) => {
    for (const bed of bedsOf(house, change)) house.live.bedChanged(bed);
  });
}

function bedsOf(house: House, change: CensusChange): readonly string[] {
  switch (change.kind) {
    case 'ward':
      return house.census.beds(change.ward).map((bed) => bed.id);
    // Told as its association before.
    case 'corrected':
      return [];
    case 'merged':
      return change.encounters.flatMap((encounter) => bedsOfEncounter(house, encounter));
    case 'bed':
    case 'monitoring':
      return [change.bed];
    case 'association':
      return [change.association.bed];
    case 'encounter':
      return bedsOfEncounter(house, change.encounter.id);
    case 'limits':
      return bedsOfEncounter(house, change.encounter);
    default:
      return change satisfies never;
  }
}

const bedsOfEncounter = (house: House, encounter: string): string[] => {
  const beds = house.census.associations({ encounter, open: true }).map((association) => association.bed);
  const own = house.census.encounter(encounter)?.bed;
  return [...new Set(own === undefined ? beds : [...beds, own])];
};

/** Promise 2: while nothing is recorded, a technical alarm says so. */
export function recordingChanged(house: House, recording: boolean, fault: Fault | undefined): void {
  house.recordingFault = recording ? undefined : fault;
  if (!recording) house.rawLane?.unrecorded();
  if (recording) house.alarms.technical.end('journal-unrecorded');
  else {
    const details = { code: fault?.code ?? 'JOURNAL_HUNG' };
    house.alarms.technical.raise('journal-unrecorded', { owner: 'biomed', priority: 'medium', details });
  }
}

/** A fault of a worker or of the journal: in the log, and on the engineers' list until the part is well again. */
export function noteFault(house: House, log: Log, part: string, fault: Fault): void {
  log.warn({ part, fault: fault.toJSON() }, fault.message);
  house.partFaults.set(part, fault);
  // At the start faults come before there are alarms: the watch raises them.
  if (house.alarms) raisePartFault(house, part, fault);
}

function raisePartFault({ alarms }: House, part: string, { code }: Fault): void {
  const details = { part, code };
  alarms.technical.raise('part-fault', { owner: 'biomed', priority: 'low', about: part, details });
}

/** Faults of the journal that are over when it records again; damage stays on the list. */
const passing: ReadonlySet<string> = new Set(['JOURNAL_WRITE', 'JOURNAL_HUNG', 'JOURNAL_SLOW']);

function isWellAgain(house: House, part: string, { code }: Fault): boolean {
  const { intake, historian, waveforms, rows, backup, books } = house;
  if (part === 'historian') return historian.status().fault === undefined;
  if (part === 'backup copy') return backup.status()?.fault === undefined;
  if (part === 'waveforms') return waveforms.status().fault === undefined;
  if (part === 'books') return books.status().fault === undefined;
  if (part === 'registry') return rows.status().fault === undefined;
  return passing.has(code) && intake.recording;
}

function watchParts(house: House): void {
  for (const [part, fault] of house.partFaults) {
    if (!isWellAgain(house, part, fault)) raisePartFault(house, part, fault);
    else {
      house.partFaults.delete(part);
      house.alarms.technical.end('part-fault', part);
    }
  }
}

const watchEveryMs = 1_000;

/** What must be looked at again and again; answers how to stop. */
export function watchHouse(house: House, clock: SteppedClock): () => void {
  const stopSettling = clock.every(settleEveryMs, () => {
    if (house.intake.recording) void house.ledger.settle();
  });
  const stopParts = clock.every(watchEveryMs, () => {
    watchParts(house);
    house.servers.watch(house.alarms.technical);
  });
  const stopClock = clock.every(watchEveryMs, () => {
    const offset = clock.machineOffsetMs();
    if (Math.abs(offset) > clockStepMs) {
      const details = { offsetS: Math.round(offset / 1_000) };
      house.alarms.technical.raise('clock-stepped', { owner: 'biomed', priority: 'low', details });
    } else house.alarms.technical.end('clock-stepped');
  });
  return () => {
    stopSettling();
    stopParts();
    stopClock();
  };
}
