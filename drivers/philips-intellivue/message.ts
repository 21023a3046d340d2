import { localTime, type LocalTime } from '../../model/local-time.ts';
import { createCursor, Malformed, readAttributes, readList, type Attributes, type Cursor } from './cursor.ts';

// Object classes of polls.
export const classes = { mds: 33, numeric: 6, wave: 9, alarms: 54 } as const;
export const attribute = {
  handle: 0x0921,
  type: 0x092f,
  label: 0x0924,
  numeric: 0x0950,
  compound: 0x094b,
  samples: 0x096e,
  compoundSamples: 0x0967,
  sampleSpec: 0x096d,
  fixedSamples: 0x0a16,
  scale: 0x096f,
  samplePeriod: 0x098d,
  unit: 0x0996,
  metricState: 0x0940,
  measuredAt: 0x0990,
  technicalAlarms: 0x0902,
  patientAlarms: 0x0904,
  model: 0x0928,
  production: 0x092d,
  mode: 0x0946,
  dateTime: 0x0987,
} as const;

export interface PolledObject {
  readonly handle: number;
  readonly attributes: Attributes;
}

export interface Poll {
  readonly kind: 'poll';
  readonly extended: boolean;
  readonly number: number;
  /** Which class was polled. */
  readonly objectClass: number;
  /** The monitor's uptime in 1/8 ms, and its wall clock where it tells it. */
  readonly ticks: number;
  readonly clock: LocalTime | undefined;
  readonly objects: readonly PolledObject[];
  /** More of the same answer follows. */
  readonly more: boolean;
}

export type Message =
  | Poll
  | { readonly kind: 'accepted' | 'refused' | 'released' | 'release' | 'abort' | 'other' }
  | { readonly kind: 'create'; readonly invoke: number; readonly attributes: Attributes }
  | { readonly kind: 'connect-indication'; readonly attributes: Attributes }
  | { readonly kind: 'error'; readonly invoke: number; readonly error: number };

/** One datagram, or the user data of one serial frame; in words why it is none. Every length must be right. */
export function readMessage(bytes: Buffer): Message | string {
  try {
    return read(bytes);
  } catch (error) {
    if (error instanceof Malformed) return error.message;
    throw error;
  }
}

/** How long the message is that starts here, by its own length; all of the bytes where it has none. */
export function messageLength(bytes: Buffer): number {
  if (bytes.length >= 8 && bytes[0] === 0xe1) return 8 + bytes.readUInt16BE(6);
  if (bytes.length >= 8 && bytes.readUInt32BE(0) === connectIndication) return 8 + bytes.readUInt16BE(6);
  // Session headers: type, then the length: one byte, or FF and two.
  if (bytes.length >= 4 && bytes[1] === 0xff) return 4 + bytes.readUInt16BE(2);
  return bytes.length >= 2 ? 2 + bytes.readUInt8(1) : bytes.length;
}

const connectIndication = 0x00000100;
const sessionKinds = new Map([
  [0x0d, 'other'],
  [0x0e, 'accepted'],
  [0x0c, 'refused'],
  [0x09, 'release'],
  [0x0a, 'released'],
  [0x19, 'abort'],
] as const);

function read(bytes: Buffer): Message {
  if (bytes.length === 0) throw new Malformed('it is empty');
  const from = createCursor(bytes);
  if (bytes.length >= 4 && bytes.readUInt32BE(0) === connectIndication) return readRemote(from);
  if (bytes[0] === 0xe1) return readRemote(from);
  const session = sessionKinds.get(bytes.readUInt8(0) as 0x0d);
  if (!session) throw new Malformed('no message type of the data export begins so');
  return { kind: session };
}

const remote = { invoke: 1, result: 2, error: 3, linked: 5 } as const;
const command = { event: 0, confirmedEvent: 1, action: 7 } as const;
const events = { create: 0x0d06, connectIndication: 0x0d17 } as const;
const actions = { poll: 0x0c16, extendedPoll: 0xf13b } as const;

function readRemote(from: Cursor): Message {
  const head = from.u32();
  // E1 00, context 2, is data of an association.
  if (head !== connectIndication && head !== 0xe1000002) throw new Malformed('another presentation context');
  const type = from.u16();
  const body = from.part(from.u16());
  from.end('the message');
  if (type === remote.invoke) return readInvoke(body);
  if (type === remote.error) {
    const invoke = body.u16();
    const error = body.u16();
    return { kind: 'error', invoke, error };
  }
  if (type === remote.linked) {
    const state = body.u8();
    body.u8();
    return readResult(body, state !== 3);
  }
  if (type === remote.result) return readResult(body, false);
  throw new Malformed('another type of remote operation');
}

function readInvoke(body: Cursor): Message {
  const invoke = body.u16();
  const wanted = body.u16();
  const argument = body.part(body.u16());
  body.end('the request');
  if (wanted !== command.event && wanted !== command.confirmedEvent) return { kind: 'other' };
  argument.bytes(6);
  argument.u32();
  const event = argument.u16();
  const info = argument.part(argument.u16());
  argument.end('the event');
  if (event === events.connectIndication) {
    return { kind: 'connect-indication', attributes: readAttributes(info) };
  }
  if (event !== events.create) return { kind: 'other' };
  info.bytes(6);
  return { kind: 'create', invoke, attributes: readAttributes(info) };
}

function readResult(body: Cursor, more: boolean): Message {
  body.u16();
  const answered = body.u16();
  const result = body.part(body.u16());
  body.end('the result');
  if (answered !== command.action) return { kind: 'other' };
  result.bytes(6);
  const action = result.u16();
  const reply = result.part(result.u16());
  result.end('the action result');
  if (action !== actions.poll && action !== actions.extendedPoll) return { kind: 'other' };
  return readPoll(reply, action === actions.extendedPoll, more);
}

function readPoll(reply: Cursor, extended: boolean, more: boolean): Poll {
  const number = reply.u16();
  if (extended) reply.u16();
  const ticks = reply.u32();
  const clock = readClock(reply.bytes(8));
  if (reply.u16() !== 1) throw new Malformed('an object type of another partition');
  const objectClass = reply.u16();
  reply.u16();
  const contexts = readList(reply, 'the poll list', (list) => {
    list.u16();
    return readList(list, 'the objects', (objects): PolledObject => {
      const handle = objects.u16();
      return { handle, attributes: readAttributes(objects) };
    });
  });
  reply.end('the poll result');
  return { kind: 'poll', extended, number, objectClass, ticks, clock, objects: contexts.flat(), more };
}

/** Eight BCD bytes: century, year, month, day, hour, minute, second, fraction. FF eight times is no time. */
export function readClock(bytes: Buffer): LocalTime | undefined {
  if (bytes.length !== 8) return undefined;
  const [century, year, month, day, hour, minute, second] = [...bytes].map((byte) =>
    byte >> 4 > 9 || (byte & 15) > 9 ? Number.NaN : (byte >> 4) * 10 + (byte & 15),
  ) as [number, number, number, number, number, number, number];
  return localTime({ year: century * 100 + year, month, day, hour, minute, second });
}
