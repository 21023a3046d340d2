import type { Identity, Mode } from '../../model/device.ts';
import type { LocalTime } from '../../model/local-time.ts';
import { createCursor, readList, type Attributes, type Cursor } from './cursor.ts';
import { attribute, readClock } from './message.ts';

/** What the monitor says of itself: in its create event and in a poll of the MDS object. */
export interface Self {
  readonly identity: Identity | undefined;
  readonly mode: Mode | undefined;
  readonly clock: LocalTime | undefined;
}

const operating = { demo: 0x2000, service: 0x1000, standby: 0x0002, config: 0x0001 } as const;

/** Throws Malformed. */
export function selfOf(attributes: Attributes): Self {
  const model = attributes.get(attribute.model);
  const production = attributes.get(attribute.production);
  const clock = attributes.get(attribute.dateTime);
  const names = model && readModel(createCursor(model));
  const serial = production && readSerial(createCursor(production));
  const identity: Identity = {
    ...(names?.manufacturer && { manufacturer: names.manufacturer }),
    ...(names?.model && { model: names.model }),
    ...(serial && { serial }),
  };
  return {
    identity: Object.keys(identity).length > 0 ? identity : undefined,
    mode: modeOf(attributes.get(attribute.mode)),
    clock: clock && readClock(clock),
  };
}

function modeOf(bytes: Buffer | undefined): Mode | undefined {
  if (bytes?.length !== 2) return undefined;
  const bits = bytes.readUInt16BE(0);
  if (bits & operating.demo) return 'demo';
  if (bits & (operating.service | operating.config)) return 'test';
  return bits & operating.standby ? 'standby' : 'operating';
}

/** Two labels; what follows is padding. */
function readModel(from: Cursor): { manufacturer: string; model: string } {
  const manufacturer = readLabel(from);
  return { manufacturer, model: readLabel(from) };
}

const serialNumber = 1;
const wholeProduct = 8;

/** The serial number of the whole product, else the first there is. */
function readSerial(from: Cursor): string | undefined {
  const specs = readList(from, 'the production specification', (list) => {
    const type = list.u16();
    return { type, component: list.u16(), value: readLabel(list) };
  }).filter(({ type, value }) => type === serialNumber && value !== '');
  return (specs.find(({ component }) => component === wholeProduct) ?? specs[0])?.value;
}

const readLabel = (from: Cursor): string =>
  from
    .bytes(from.u16())
    .toString('latin1')
    .replace(/[^ -~]+/g, ' ')
    .trim()
    .slice(0, 64);
