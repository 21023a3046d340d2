import { networkInterfaces } from 'node:os';
import { isZone } from '../../model/local-time.ts';
import type { DecodedItem, Mode } from '../../model/device.ts';
import { Fault } from '../../model/fault.ts';
import { createFramer } from '../../model/hl7/frame.ts';
import { defineDriver, type DecodeOptions, type DriverHost, type Emitted } from '../driver.ts';
import { openListener } from '../transport/listen.ts';
import { createHub, type Hub, type Subscriber } from './hub.ts';
import { readBytes, type ReadOptions, type Report } from './report.ts';
import { SenderClock } from './sender-clock.ts';
import { settings, vendors } from './settings.ts';

const openMs = 10_000;
const mostPeers = 64;

export default defineDriver({
  ...settings,

  /** Joins the listener of its port. Nothing is ever sent but acknowledgements. */
  async open({ device, bind, key, vendor, timeZone }, host) {
    const wrong = (path: string, cause: string): Fault =>
      new Fault('DRIVER_SETTINGS', { path, driver: settings.name, cause });
    if (timeZone !== undefined && !isZone(timeZone)) throw wrong('/timeZone', 'no such zone');
    if (key.equipment === undefined && key.location === undefined)
      throw wrong('/key', 'equipment or location must tell the device from its neighbours');
    const address = addressOf(bind.address);
    if (address === undefined) throw wrong('/bind/address', 'this machine has no such interface');
    const options: ReadOptions = { vendor, ...(timeZone === undefined ? {} : { timeZone }) };
    const hub = await shareHub({ address, port: bind.port }, host);
    const subscriber: Subscriber = {
      key,
      options,
      ...createTelling(device, host),
      lost: () =>
        host.link(device, 'lost', new Fault('WIRE_CLOSED', { address: `tcp://${address}:${bind.port}` })),
      garbage: (count) => host.count(device, 'discardedBytes', count),
      kept: () => host.kept(),
      discovered: (item) => host.discovered({ ...item, settings: { ...item.settings, bind, vendor } }),
    };
    if (!hub.join(subscriber)) throw wrong('/key', 'another device has this key already');
    host.link(device, 'searching');
    // The sender connects again by itself; the port stays open for its neighbours.
    return { recovers: true, close: async () => hub.leave(subscriber) };
  },

  decode: decodeBytes,
});

const shareHub = ({ address, port }: { address: string; port: number }, host: DriverHost): Promise<Hub> =>
  host.share(`hl7:${address}:${port}`, async (clock) => {
    const hub = createHub({ clock, chance: host.chance });
    const deadline = { clock, deadlineMs: openMs, signal: new AbortController().signal };
    const listener = await openListener({ address, port, most: mostPeers }, deadline, (peer) =>
      hub.accept(peer),
    );
    return { value: hub, close: () => listener.close() };
  });

/** An address as it is; of an interface its first address, IPv4 before IPv6. */
function addressOf(named: string): string | undefined {
  if (/^[0-9.]+$/.test(named) || named.includes(':')) return named;
  const found = networkInterfaces()[named] ?? [];
  return (found.find(({ family }) => family === 'IPv4') ?? found[0])?.address;
}

/** Turns what a message says of the device into what the host is told. */
function createTelling(device: string, host: DriverHost): Pick<Subscriber, 'take'> {
  const clock = new SenderClock();
  let mode: Mode | undefined;
  return {
    take: ({ header, values, waves, alerts }: Report) => {
      const nowMs = host.clock.nowMs();
      clock.arrived(header.time, nowMs);
      host.count(device, 'frame', 1);
      host.link(device, 'connected');
      if (mode !== header.mode || header.time?.atMs !== undefined) {
        mode = header.mode;
        host.state(device, {
          mode,
          ...(header.time?.atMs === undefined ? {} : { clockMs: header.time.atMs }),
        });
      }
      const items: Emitted[] = [];
      for (const value of values) {
        if (value.kind === 'refused') {
          // What the row was about, never the row: it may hold a name.
          host.count(device, 'discardedBytes', 1, Buffer.from(value.about));
          continue;
        }
        const { time, subId: _, ...told } = value;
        const { takenAtMs, doubtful } = clock.place(time, header.time, nowMs);
        const doubt =
          doubtful && told.validity === 'valid' ? ({ validity: 'questionable', mark: 'clock' } as const) : {};
        items.push({ ...told, ...doubt, takenAtMs } as Emitted);
      }
      for (const { time, ...wave } of waves) {
        const { takenAtMs } = clock.place(time, header.time, nowMs);
        items.push({ ...wave, takenAtMs, offset: 0 });
      }
      if (alerts.length > 0) items.push({ kind: 'alerts', alerts, complete: false });
      if (items.length > 0) host.emit(device, items);
    },
  };
}

/** Every message in the bytes, framed or bare; of all devices in it. */
function decodeBytes(bytes: Buffer, { settings: given }: DecodeOptions): DecodedItem[] {
  const vendor = vendors.find((each) => each === given?.['vendor']) ?? 'auto';
  const zone = given?.['timeZone'];
  const timeZone = typeof zone === 'string' && isZone(zone) ? { timeZone: zone } : {};
  const framer = createFramer(bytes.length + 1);
  const found = [...framer.push(bytes), ...framer.idle()];
  return found.flatMap(({ kind, bytes: one }): DecodedItem[] => {
    const refused = (cause: string): DecodedItem[] => [
      { kind: 'refused', cause, rawHex: one.toString('hex') },
    ];
    if (kind === 'garbage') return refused('bytes of no message');
    const read = readBytes(one, { vendor, ...timeZone });
    if (!read) return refused('no HL7 v2 message');
    return read.reports.flatMap(decodedOf);
  });
}

function decodedOf({ values, waves, alerts, header }: Report): DecodedItem[] {
  return [
    ...values.map((value): DecodedItem => {
      if (value.kind === 'refused')
        return { kind: 'refused', cause: value.cause, rawHex: Buffer.from(value.about).toString('hex') };
      const { time, subId: _, ...told } = value;
      const takenAtMs = time?.atMs ?? header.time?.atMs;
      const test = header.mode === 'operating' ? {} : demo(header.mode, told);
      return { ...told, ...test, ...(takenAtMs === undefined ? {} : { takenAtMs }) } as DecodedItem;
    }),
    ...waves.map(({ time, ...wave }): DecodedItem => ({ ...wave, offset: 0, takenAtMs: time?.atMs ?? 0 })),
    ...alerts.map((alert): DecodedItem => ({ kind: 'alert', alert })),
  ];
}

/** MSH-11 says of the whole message what OBX-8 says of one value. */
const demo = (mode: Mode, told: object): object =>
  'value' in told && told.value === null
    ? {}
    : { validity: 'invalid', mark: mode === 'test' ? 'test' : 'demo' };
