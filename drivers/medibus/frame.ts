/** Control bytes of MEDIBUS (RS-232 protocol definition 4.03). */
export const control = {
  soh: 0x01,
  cr: 0x0d,
  suspend: 0x11,
  resume: 0x13,
  nak: 0x15,
  can: 0x18,
  esc: 0x1b,
} as const;

/** Codes of commands, in either direction. */
export const code = {
  measured1: 0x24,
  lowLimits1: 0x25,
  highLimits1: 0x26,
  alarms1: 0x27,
  dateTime: 0x28,
  settings: 0x29,
  texts: 0x2a,
  measured2: 0x2b,
  lowLimits2: 0x2c,
  highLimits2: 0x2d,
  alarms2: 0x2e,
  noOperation: 0x30,
  timeChanged: 0x49,
  initialise: 0x51,
  identify: 0x52,
  stop: 0x55,
  realtimeChanged: 0x56,
} as const;

/**
 * All that may ever be sent as a command: reading, and opening and ending the talk. Neither the configuring codes
 * (4A, 54) nor the device-specific one (6A) are among them.
 */
export const allowed: ReadonlySet<number> = new Set<number>([
  code.measured1,
  code.alarms1,
  code.dateTime,
  code.settings,
  code.texts,
  code.measured2,
  code.alarms2,
  code.noOperation,
  code.initialise,
  code.identify,
  code.stop,
]);

/** Sum of all bytes before it, low 8 bits, as two upper-case hexadecimal digits. */
export function checksum(bytes: Iterable<number>): string {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  return (sum & 0xff).toString(16).toUpperCase().padStart(2, '0');
}

function encode(start: number, command: number, data: string): Buffer {
  const body = Buffer.concat([Buffer.from([start, command]), Buffer.from(data, 'latin1')]);
  return Buffer.concat([body, Buffer.from(checksum(body), 'latin1'), Buffer.from([control.cr])]);
}

/** A command of ours; undefined for a code that may not be sent. None of them has an argument. */
export const encodeCommand = (command: number): Buffer | undefined =>
  allowed.has(command) ? encode(control.esc, command, '') : undefined;

/** Our answers to the device's own commands carry this identity: we have no device number of our own. */
export const ownIdentity = "0161'VIGIL'01.00:04.00";

const answered: ReadonlyMap<number, string> = new Map<number, string>([
  [code.initialise, ''],
  [code.identify, ownIdentity],
  [code.noOperation, ''],
  [code.timeChanged, ''],
  [code.realtimeChanged, ''],
  [code.stop, ''],
  // We measure nothing: its questions for data are answered with no data.
  ...[code.measured1, code.measured2, code.alarms1, code.alarms2, code.settings, code.texts].map(
    (each) => [each, ''] as const,
  ),
]);

/** The answer the device must have to a command of its own; what is not known is refused. */
export const encodeAnswer = (command: number): Buffer =>
  encode(control.soh, command, answered.get(command) ?? String.fromCharCode(control.nak));

export interface Message {
  readonly kind: 'response' | 'command';
  readonly code: number;
  readonly data: string;
  readonly raw: Buffer;
}
export type Item =
  | Message
  | { readonly kind: 'bad'; readonly cause: string; readonly raw: Buffer }
  | { readonly kind: 'flow'; readonly suspended: boolean };

export interface Framer {
  push(chunk: Uint8Array): {
    readonly items: readonly Item[];
    readonly discarded: number;
    readonly realtime: Buffer;
  };
  /** What stands there without its end. */
  rest(): Buffer;
}

/** The longest answer is the texts of a whole menu; what grows past this is none. */
const longest = 4_096;

/**
 * Cuts a byte stream in pieces of any size. Bytes of 80H and above are realtime and are taken out wherever they
 * stand; a command of the device may stand inside its own response.
 */
export function createFramer(): Framer {
  let response: number[] | undefined;
  let command: number[] | undefined;
  return {
    push: (chunk) => {
      const items: Item[] = [];
      const realtime: number[] = [];
      let discarded = 0;
      const drop = (bytes: number[] | undefined, cause: string): undefined => {
        if (bytes) items.push({ kind: 'bad', cause, raw: Buffer.from(bytes) });
      };
      for (const byte of chunk) {
        if (byte >= 0x80) realtime.push(byte);
        else if (byte === control.suspend || byte === control.resume) {
          items.push({ kind: 'flow', suspended: byte === control.suspend });
        } else if (byte === control.can) {
          command = drop(command, 'cancelled by the device');
          response = drop(response, 'cancelled by the device');
        } else if (byte === control.esc) {
          drop(command, 'cut off by the next command');
          command = [byte];
        } else if (byte === control.soh) {
          command = drop(command, 'cut off by the next response');
          drop(response, 'cut off by the next response');
          response = [byte];
        } else if (byte === control.cr) {
          const whole = command ?? response;
          if (whole) items.push(check(whole));
          else discarded += 1;
          if (command) command = undefined;
          else response = undefined;
        } else if (command) command.push(byte);
        else if (response) response.push(byte);
        else discarded += 1;
        if ((command?.length ?? 0) > longest) command = drop(command, 'longer than any command');
        if ((response?.length ?? 0) > longest) response = drop(response, 'longer than any response');
      }
      return { items, discarded, realtime: Buffer.from(realtime) };
    },
    rest: () => Buffer.from([...(response ?? []), ...(command ?? [])]),
  };
}

function check(bytes: readonly number[]): Item {
  const raw = Buffer.from([...bytes, control.cr]);
  const body = bytes.slice(0, -2);
  const told = String.fromCharCode(...bytes.slice(-2));
  const [start, command] = body;
  if (command === undefined || start === undefined) return { kind: 'bad', cause: 'too short', raw };
  const expected = checksum(body);
  if (told !== expected) return { kind: 'bad', cause: `checksum ${expected} expected`, raw };
  const data = Buffer.from(body.slice(2)).toString('latin1');
  return { kind: start === control.esc ? 'command' : 'response', code: command, data, raw };
}
