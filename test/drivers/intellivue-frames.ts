/** Bytes a monitor would send, built from the layout of the data export: for cases, tests and the scripted monitor. */
export const u16 = (...values: number[]): Buffer =>
  Buffer.concat(values.map((value) => Buffer.from([(value >> 8) & 255, value & 255])));
export const u32 = (value: number): Buffer => u16(value >>> 16, value & 0xffff);
export const sized = (bytes: Buffer): Buffer => Buffer.concat([u16(bytes.length), bytes]);
export const list = (entries: readonly Buffer[]): Buffer =>
  Buffer.concat([u16(entries.length), sized(Buffer.concat(entries))]);
export const attributes = (entries: Readonly<Record<number, Buffer>>): Buffer =>
  list(Object.entries(entries).map(([id, value]) => Buffer.concat([u16(Number(id)), sized(value)])));

/** FLOAT: mantissa and exponent; a word for the special ones. */
export const float = (mantissa: number | 'nan' | 'nres' | 'inf' | '-inf', exponent = 0): Buffer => {
  const special = { nan: 0x7fffff, nres: 0x800000, inf: 0x7ffffe, '-inf': 0x800002 };
  const bits = typeof mantissa === 'number' ? mantissa & 0xffffff : special[mantissa];
  return Buffer.from([exponent & 255, bits >> 16, (bits >> 8) & 255, bits & 255]);
};
export const value = (physio: number, state: number, unit: number, number: Buffer): Buffer =>
  Buffer.concat([u16(physio, state, unit), number]);
/** An object of a poll: its handle and its attributes. */
export const object = (handle: number, given: Readonly<Record<number, Buffer>>): Buffer =>
  Buffer.concat([u16(handle), attributes(given)]);
/** BCD time of `YYYYMMDDhhmmss`. */
export const bcd = (digits: string): Buffer => Buffer.from(`${digits}00`, 'hex');
export const utf16 = (text: string): Buffer => sized(Buffer.from(`${text}\0`, 'utf16le').swap16());
export const label = (text: string): Buffer =>
  sized(Buffer.from(text.padEnd(text.length + (text.length % 2), '\0')));

export interface PollOptions {
  readonly extended?: boolean;
  readonly objectClass?: number;
  readonly ticks?: number;
  readonly clock?: Buffer;
  /** State of a linked result: 1 first, 2 middle, 3 last. */
  readonly linked?: readonly [state: number, count: number];
  readonly contexts?: readonly (readonly Buffer[])[];
}

/** A poll result with these objects. */
export function pollResult(objects: readonly Buffer[], options: PollOptions = {}): Buffer {
  const { extended = true, objectClass = 6, ticks = 80_000, clock = Buffer.alloc(8, 0xff), linked } = options;
  const contexts = options.contexts ?? [objects];
  const poll = Buffer.concat([
    extended ? u16(1, 0) : u16(1),
    u32(ticks),
    clock,
    u16(1, objectClass, 0),
    list(contexts.map((each) => Buffer.concat([u16(0), list(each)]))),
  ]);
  const action = Buffer.concat([u16(33, 0, 0, extended ? 0xf13b : 0x0c16), sized(poll)]);
  const result = Buffer.concat([u16(3, 7), sized(action)]);
  return data(linked ? 5 : 2, linked ? Buffer.concat([Buffer.from(linked), result]) : result);
}

export const data = (type: number, body: Buffer): Buffer =>
  Buffer.concat([u16(0xe100, 2, type), sized(body)]);

/** MDS create event with these attributes. */
export const createEvent = (given: Readonly<Record<number, Buffer>>): Buffer => {
  const info = Buffer.concat([u16(33, 0, 0), attributes(given)]);
  const argument = Buffer.concat([u16(33, 0, 0), u32(80_000), u16(0x0d06), sized(info)]);
  return data(1, Buffer.concat([u16(1, 1), sized(argument)]));
};
export const self: Readonly<Record<number, Buffer>> = {
  0x0928: Buffer.concat([label('Philips'), label('M8007A')]),
  0x092d: list([
    Buffer.concat([u16(1, 8), label('DE12345678')]),
    Buffer.concat([u16(2, 8), label('M8007-68001')]),
  ]),
  0x0946: u16(0x4000),
  0x0987: bcd('20170102030405'),
};

export interface AlarmEntry {
  readonly source: number;
  readonly code: number;
  readonly type: number;
  readonly state?: number;
  readonly handle?: number;
  readonly text?: string;
}
export const alarmList = (entries: readonly AlarmEntry[]): Buffer =>
  list(
    entries.map(({ source, code, type, state = 0, handle = 0x8101, text }) => {
      const general = Buffer.concat([u16(0), u32(0), u16(0, 0)]);
      const details = text === undefined ? general : Buffer.concat([general, utf16(text)]);
      const form = text === undefined ? 0x0201 : 0x0204;
      return Buffer.concat([u16(source, code, type, state, 6, 0, handle, form), sized(details)]);
    }),
  );
/** The alarm monitor object with both lists. */
export const alarmMonitor = (patient: readonly AlarmEntry[], technical: readonly AlarmEntry[]): Buffer =>
  object(0x8036, { 0x0904: alarmList(patient), 0x0902: alarmList(technical) });
