import type { AlertState, Inactivation } from '../../model/alarm.ts';
import type { Mode } from '../../model/device.ts';
import type { ActiveAlert } from '../transport/told.ts';
import { createCursor, readList, type Attributes, type Cursor } from './cursor.ts';
import { attribute } from './message.ts';
import { seriesOf } from './metrics.ts';

export interface AlarmLists {
  /** Undefined where the list did not come: then the last one holds. */
  readonly technical: readonly ActiveAlert[] | undefined;
  readonly patient: readonly ActiveAlert[] | undefined;
  /** The mode the entries tell, where one does. */
  readonly mode: Mode | undefined;
}

const alertState = {
  inhibited: 0x8000,
  suspended: 0x4000,
  latched: 0x2000,
  silenced: 0x1000,
  test: 0x0400,
  standby: 0x0200,
  demo: 0x0100,
} as const;
/** Forms of the information at the end of an entry: general, and with a text. */
const info = { general: 0x0201, text: 0x0204 } as const;

/** The alarms of one alarm monitor object. Throws Malformed. */
export function alarmsOf(attributes: Attributes): AlarmLists {
  let bits = 0;
  const list = (id: number, other: AlertState['type']): ActiveAlert[] | undefined => {
    const bytes = attributes.get(id);
    if (!bytes) return undefined;
    const from = createCursor(bytes);
    const entries = readList(from, 'the alarm list', (entry) => readEntry(entry, other));
    from.end('the alarm list');
    for (const entry of entries) bits |= entry.state;
    return entries.flatMap(({ alert }) => (alert ? [alert] : []));
  };
  const technical = list(attribute.technicalAlarms, 'technical');
  const patient = list(attribute.patientAlarms, 'physiological');
  return { technical, patient, mode: modeOf(bits) };
}

const modeOf = (bits: number): Mode | undefined =>
  bits & alertState.demo
    ? 'demo'
    : bits & alertState.test
      ? 'test'
      : bits & alertState.standby
        ? 'standby'
        : undefined;

interface Entry {
  readonly state: number;
  readonly alert: ActiveAlert | undefined;
}

function readEntry(list: Cursor, other: AlertState['type']): Entry {
  const source = list.u16();
  const code = list.u16();
  const type = list.u16();
  const state = list.u16();
  const object = list.part(6);
  object.u16();
  const context = object.u16();
  const handle = object.u16();
  const form = list.u16();
  const details = list.part(list.u16());
  const { instance, text } = readInfo(details, form);
  const level = levelOf(type, other);
  if (!level) return { state, alert: undefined };
  // The last bit of the code tells whether the source is a measurement (0) or an object of the monitor (1).
  const measured = (code & 1) === 0 ? seriesOf(source) : undefined;
  const inactivation = inactivationOf(state);
  const name = `${hex(source)}-${hex(code)}`;
  const alert: ActiveAlert = {
    alertId: `${name}-${hex(context)}-${hex(handle)}-${instance}`,
    code: name,
    text: text || name,
    ...level,
    latching: (state & alertState.latched) !== 0,
    ...(measured && { metric: measured.metric.refId }),
    inactivation,
  };
  return { state, alert };
}

/** Low three bits technical, the high byte physiological; the highest bit set counts. Others are medium, of their list's kind. */
function levelOf(type: number, other: AlertState['type']): Pick<AlertState, 'priority' | 'type'> | undefined {
  if (type === 0) return undefined;
  if (type & 0x0400) return { priority: 'high', type: 'physiological' };
  if (type & 0x0200) return { priority: 'medium', type: 'physiological' };
  if (type & 0x0100) return { priority: 'low', type: 'physiological' };
  if (type & 0x0004) return { priority: 'high', type: 'technical' };
  if (type & 0x0002) return { priority: 'medium', type: 'technical' };
  if (type & 0x0001) return { priority: 'low', type: 'technical' };
  return { priority: 'medium', type: other };
}

function inactivationOf(state: number): Inactivation {
  if (state & alertState.inhibited) return 'alarmOff';
  if (state & alertState.suspended) return 'alarmPaused';
  return state & alertState.silenced ? 'acknowledged' : 'enabled';
}

function readInfo(details: Cursor, form: number): { instance: number; text: string } {
  if (form !== info.general && form !== info.text) return { instance: 0, text: '' };
  const instance = details.u16();
  details.u32();
  details.u16();
  details.u16();
  if (form === info.general) return { instance, text: '' };
  const text = details.bytes(details.u16());
  return { instance, text: plain(swapped(text)) };
}

/** UTF-16, most significant byte first. */
const swapped = (bytes: Buffer): string =>
  Buffer.from(bytes.subarray(0, bytes.length & ~1))
    .swap16()
    .toString('utf16le');

/** Without the monitor's private marks (lung, stars …), its NULs and its padding. */
const plain = (text: string): string =>
  text
    .replace(/\p{C}+/gu, ' ')
    .trim()
    .slice(0, 120);

const hex = (number: number): string => number.toString(16).padStart(4, '0');
