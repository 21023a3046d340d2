import { Fault } from '../../model/fault.ts';
import { isZone } from '../../model/local-time.ts';
import type { DecodedItem } from '../../model/device.ts';
import { defineDriver, type DecodeOptions, type DriverHost } from '../driver.ts';
import { createTeller } from '../transport/teller.ts';
import { decodeAll, type ActiveAlert, type Told } from '../transport/told.ts';
import { characteristicOf, readNotification, streamed } from './notification.ts';
import type { Item } from './packet.ts';
import { createPc60 } from './pc60fw.ts';
import { settings, type Characteristic } from './settings.ts';

/** A measurement that says a time this far ahead of ours has a clock nobody set. */
const aheadMs = 60_000;
/** Stored measurements come again with each connection; so many are remembered. */
const mostRemembered = 1_024;

export default defineDriver({
  ...settings,

  /** Reads what a gateway on the ward forwards; nothing is ever sent to the wearable. */
  async open({ device, characteristic, encoding, timeZone }, host) {
    if (timeZone !== undefined && !isZone(timeZone)) {
      throw new Fault('DRIVER_SETTINGS', { path: '/timeZone', driver: settings.name, cause: 'no such zone' });
    }
    const tell = createTeller({ device, host });
    const read = createNotifications(host, timeZone);
    host.link(device, 'searching');
    return host.raw((topic, payload) => {
      const which = characteristicOf(topic.slice(topic.lastIndexOf('/') + 1)) ?? characteristic;
      const bytes = bytesOf(payload, encoding);
      if (!which || !bytes)
        tell([refused(payload, which ? `no ${encoding}` : 'no characteristic that is read')]);
      else tell(read(which, bytes));
    });
  },

  decode: decodeBytes,
});

/** Keeps what one notification alone does not tell: frames in pieces, alerts of each characteristic, repetitions. */
function createNotifications(host: DriverHost, timeZone: string | undefined) {
  const pc60 = createPc60();
  const alerts = new Map<Characteristic, readonly ActiveAlert[]>();
  const seen = new Set<string>();
  const again = (key: string): boolean => {
    if (seen.has(key)) return true;
    seen.add(key);
    for (const oldest of seen) {
      if (seen.size <= mostRemembered) break;
      seen.delete(oldest);
    }
    return false;
  };
  const active = (which: Characteristic, now: readonly ActiveAlert[]): Told => {
    alerts.set(which, now);
    return { kind: 'alerts', alerts: [...alerts.values()].flat() };
  };
  return (which: Characteristic, bytes: Buffer): Told[] => {
    if (which === streamed) {
      return pc60.push(bytes).map((told) => (told.kind === 'alerts' ? active(which, told.alerts) : told));
    }
    const packet = readNotification(which, bytes, timeZone ?? 'UTC');
    if ('cause' in packet) return [refused(bytes, packet.cause)];
    const frame: Told = { kind: 'frame' };
    if (packet.stamped && again(`${which} ${bytes.toString('hex')}`)) return [frame];
    const nowMs = host.clock.nowMs();
    return [
      frame,
      ...(packet.mode ? [{ kind: 'state', mode: packet.mode } as const] : []),
      ...packet.items.map((item) => timed(item, nowMs, timeZone !== undefined)),
      ...(packet.alerts ? [active(which, packet.alerts)] : []),
    ];
  };
}

/**
 * At the packet's own time if its zone is known, else before its arrival by as long as the packet says. A time that
 * cannot be placed may be of a stored measurement: then the arrival stands for it, marked.
 */
function timed({ agoMs = 0, takenAtMs, ...item }: Item, nowMs: number, zoned: boolean): Told {
  if (takenAtMs === undefined) return { kind: 'observation', ...item, takenAtMs: nowMs - agoMs };
  if (zoned && takenAtMs <= nowMs + aheadMs) return { kind: 'observation', ...item, takenAtMs };
  const doubt = item.validity === 'valid' ? ({ validity: 'questionable', mark: 'clock' } as const) : {};
  return { kind: 'observation', ...item, ...doubt, takenAtMs: nowMs } as Told;
}

const refused = (raw: Buffer, cause: string): Told => ({ kind: 'refused', cause, raw });

function bytesOf(payload: Buffer, encoding: 'bytes' | 'hex' | 'base64'): Buffer | undefined {
  if (encoding === 'bytes') return payload;
  const text = payload.toString('latin1').replace(/[\s:-]/g, '');
  const form = encoding === 'hex' ? /^([0-9a-fA-F]{2})+$/ : /^[A-Za-z0-9+/]+={0,2}$/;
  return form.test(text) ? Buffer.from(text, encoding) : undefined;
}

/** The bytes of one notification. A time in them is read in the zone of the settings, else as UTC. */
function decodeBytes(bytes: Buffer, { characteristic, settings: given }: DecodeOptions): DecodedItem[] {
  const told = characteristic ?? given?.['characteristic'];
  const framed = bytes[0] === 0xaa && bytes[1] === 0x55 ? streamed : undefined;
  const which = typeof told === 'string' ? characteristicOf(told) : framed;
  const refuse = (cause: string): DecodedItem[] => [
    { kind: 'refused', cause, rawHex: bytes.toString('hex') },
  ];
  if (!which)
    return refuse(told === undefined ? '--characteristic is needed' : 'a characteristic that is not read');
  if (which === streamed) return decodeAll(createPc60(), bytes);
  const zone = given?.['timeZone'];
  const packet = readNotification(which, bytes, typeof zone === 'string' && isZone(zone) ? zone : 'UTC');
  if ('cause' in packet) return refuse(packet.cause);
  return [
    ...packet.items.map(({ agoMs: _, ...item }): DecodedItem => ({ kind: 'observation', ...item })),
    ...(packet.alerts ?? []).map((alert): DecodedItem => ({
      kind: 'alert',
      alert: { ...alert, phase: 'start' },
    })),
  ];
}
