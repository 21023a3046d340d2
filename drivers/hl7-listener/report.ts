import type { AlertState } from '../../model/alarm.ts';
import type { Mode } from '../../model/device.ts';
import {
  componentOf,
  fieldOf,
  parseMessage,
  type Hl7Message,
  type Segment,
} from '../../model/hl7/message.ts';
import { decodeMessage } from '../../model/hl7/charset.ts';
import { readTime, type Hl7Time } from '../../model/hl7/time.ts';
import { readAlert } from './alerts.ts';
import { vendorOf } from './dialect.ts';
import { apart, readObservation, type Reported } from './observations.ts';
import { plainId, readRow, treeOf, type Row } from './rows.ts';
import type { Vendor } from './settings.ts';
import { createWaves, type ReportedWave } from './waves.ts';

export interface ReadOptions {
  readonly vendor: Vendor | 'auto';
  readonly timeZone?: string;
}

/** MSH of a message, as far as it is looked at. */
export interface Header {
  readonly application: string;
  readonly facility: string;
  /** MSH-9 as `ORU^R01`. */
  readonly type: string;
  readonly controlId: string;
  readonly time: Hl7Time | undefined;
  /** MSH-11: D and T are no patient's. */
  readonly mode: Mode;
}

/** What one message says of one device. */
export interface Report {
  readonly header: Header;
  /** OBX-18 of the device; empty where it is not told. */
  readonly equipment: string;
  /** PV1-3. */
  readonly location: string;
  readonly values: readonly Reported[];
  readonly waves: readonly (ReportedWave & { readonly time: Hl7Time | undefined })[];
  readonly alerts: readonly AlertState[];
}

export interface ReadMessage {
  readonly message: Hl7Message;
  readonly header: Header;
  /** Empty for a message of a type that tells no observation. */
  readonly reports: readonly Report[];
}

/** Undefined for bytes that are no HL7 v2 message. Never throws on input; the patient's segment (PID) is not looked at. */
export function readBytes(bytes: Uint8Array, options: ReadOptions): ReadMessage | undefined {
  const message = parseMessage(decodeMessage(bytes).text);
  return message && readMessage(message, options);
}

/** The same for a message that was parsed already: what differs by vendor and zone is read anew. */
export function readMessage(message: Hl7Message, options: ReadOptions): ReadMessage {
  const header = readHeader(message, options.timeZone);
  return { message, header, reports: isReport(header) ? readReports(message, header, options) : [] };
}

export const isReport = ({ type }: Header): boolean => /^ORU\^(R01|R30|R31|R32|R40)$/.test(type);

function readHeader({ segments, delimiters }: Hl7Message, zone: string | undefined): Header {
  const msh = segments[0];
  const part = (number: number, component = 1): string =>
    componentOf(fieldOf(msh, number), component, delimiters).trim();
  const processing = part(11).toUpperCase();
  return {
    application: plainId(fieldOf(msh, 3), delimiters),
    facility: plainId(fieldOf(msh, 4), delimiters),
    type: `${part(9)}^${part(9, 2)}`,
    controlId: fieldOf(msh, 10),
    time: readTime(part(7), zone),
    mode: processing === 'D' ? 'demo' : processing === 'T' ? 'test' : 'operating',
  };
}

/** The rows of one OBR. */
interface Group {
  readonly obr: Segment | undefined;
  /** OBR-7, else that of the message: of whatever was measured once and says no time. */
  readonly begin: Hl7Time | undefined;
  /** OBR-8, the end of the interval that is told of, else OBR-7: of what is measured all the time. */
  readonly end: Hl7Time | undefined;
  readonly rows: Row[];
}

function readReports(message: Hl7Message, header: Header, { vendor: set, timeZone }: ReadOptions): Report[] {
  const { delimiters } = message;
  const vendor = vendorOf(set, [header.application, header.facility]);
  const groups: Group[] = [];
  let location = '';
  for (const segment of message.segments) {
    if (segment.name === 'PV1') location = plainId(fieldOf(segment, 3), delimiters);
    else if (segment.name === 'OBR') {
      const at = (field: number): Hl7Time | undefined =>
        readTime(componentOf(fieldOf(segment, field), 1, delimiters), timeZone);
      const begin = at(7) ?? header.time;
      groups.push({ obr: segment, begin, end: at(8) ?? begin, rows: [] });
    } else if (segment.name === 'OBX') {
      if (groups.length === 0)
        groups.push({ obr: undefined, begin: header.time, end: header.time, rows: [] });
      groups.at(-1)?.rows.push(readRow(segment, delimiters, timeZone));
    }
  }
  const common = { header, location };
  return devicesIn(groups).map(({ equipment, of }): Report => {
    const mine = groups.map((group) => ({ ...group, rows: group.rows.filter(of) }));
    if (header.type === 'ORU^R40') {
      const alerts = mine.flatMap((group) => alertOf(group, message, vendor) ?? []);
      return { ...common, equipment, values: [], waves: [], alerts };
    }
    const read = mine.map((group) => readGroup(group, vendor));
    return {
      ...common,
      equipment,
      values: apart(read.flatMap(({ values }) => values)),
      waves: read.flatMap(({ waves }) => waves),
      alerts: [],
    };
  });
}

function alertOf({ obr, rows }: Group, { delimiters }: Hl7Message, vendor: Vendor): AlertState | undefined {
  const own = plainId(fieldOf(obr, 3), delimiters);
  // OBR-29 is the parent: its filler number is the event's id.
  const parent = fieldOf(obr, 29);
  const filler = componentOf(parent, 2, delimiters) || componentOf(parent, 1, delimiters);
  return rows.length === 0 ? undefined : readAlert(rows, { own, parent: filler.trim() }, vendor);
}

function readGroup({ rows, begin, end }: Group, vendor: Vendor): Pick<Report, 'values' | 'waves'> {
  const waves = createWaves(vendor);
  const values: Reported[] = [];
  for (const row of rows) {
    if (waves.take(row)) continue;
    const read = readObservation(row, vendor, { begin, end });
    if (read) values.push(read);
  }
  const found: (ReportedWave & { time: Hl7Time | undefined })[] = [];
  for (const wave of waves.end()) {
    if (wave.kind === 'refused') values.push(wave);
    else found.push({ ...wave, time: begin });
  }
  return { values, waves: found };
}

/**
 * The devices in one message, by the first number of the tree in OBX-4. A device's equipment id stands on its own row
 * (`m.0.0.0`); modules below it have ids of theirs, which count only where the device has none.
 */
function devicesIn(groups: readonly Group[]): { equipment: string; of: (row: Row) => boolean }[] {
  const rows = groups.flatMap((group) => group.rows);
  const mdsOf = ({ subId }: Row): string => treeOf(subId)?.mds ?? '';
  const ids = new Map<string, { own?: string; below?: string }>();
  for (const row of rows) {
    const mds = mdsOf(row);
    const known = ids.get(mds) ?? {};
    ids.set(mds, known);
    if (row.equipment === '') continue;
    const tree = treeOf(row.subId);
    if (!tree || (tree.vmd === '0' && tree.channel === '0')) known.own ??= row.equipment;
    else known.below ??= row.equipment;
  }
  const found = [...ids].map(([mds, { own, below }]) => ({ mds, equipment: own ?? below ?? '' }));
  const named = new Set(found.map(({ equipment }) => equipment).filter((each) => each !== ''));
  // One device, however its rows are numbered.
  if (named.size <= 1) return [{ equipment: [...named][0] ?? '', of: () => true }];
  const equipments = [...new Set(found.map(({ equipment }) => equipment))];
  return equipments.map((equipment) => {
    const trees = new Set(found.filter((each) => each.equipment === equipment).map(({ mds }) => mds));
    return { equipment, of: (row) => trees.has(mdsOf(row)) };
  });
}
