import type { DecodedItem } from '../../model/device.ts';
import { Fault } from '../../model/fault.ts';
import { isZone } from '../../model/local-time.ts';
import { defineDriver, type DecodeOptions } from '../driver.ts';
import { createDecoder, type Told } from './decoder.ts';
import { messageLength, readMessage } from './message.ts';
import { decodedNumeric } from './report.ts';
import { createSerialFrames } from './serial.ts';
import { createAssociation } from './session.ts';
import { settings } from './settings.ts';
import { openDatagrams, openSerialLine } from './wire.ts';

export default defineDriver({
  ...settings,

  /** Sends what requests.ts lists, and nothing else. */
  async open({ device, peer, port, timeZone, waves, wavePriority }, host) {
    const wrong = (path: string, cause: string): Fault =>
      new Fault('DRIVER_SETTINGS', { path, driver: settings.name, cause });
    if (timeZone !== undefined && !isZone(timeZone)) throw wrong('/timeZone', 'no such zone');
    if ((peer === undefined) === (port === undefined)) {
      throw wrong('/peer', 'give either peer (network) or port (serial)');
    }
    const address = peer ? `udp://${peer.address}:${peer.port}` : (port ?? '');
    const association = createAssociation(host, {
      device,
      address,
      timeZone,
      polled: waves || wavePriority.length > 0 ? ['numeric', 'alarms', 'wave'] : ['numeric', 'alarms'],
      wavePriority: wavePriority.map(Number),
    });
    const wire = peer
      ? await openDatagrams(host, association.events)
      : await openSerialLine(host, device, association.events);
    association.start(wire);
    return { close: () => association.close() };
  },

  decode: decodeBytes,
});

/** Datagrams one after the other, or the bytes of a serial line: C0 begins a frame, no message begins so. */
function decodeBytes(bytes: Buffer, { settings: given, clock }: DecodeOptions): DecodedItem[] {
  const zone = given?.['timeZone'];
  const known = typeof zone === 'string' && isZone(zone) ? zone : undefined;
  const decoder = createDecoder();
  const each = (message: Buffer): DecodedItem[] => {
    const read = readMessage(message);
    const told = typeof read === 'string' ? read : decoder.take(read);
    if (typeof told === 'string') return [{ kind: 'refused', cause: told, rawHex: message.toString('hex') }];
    return items(told, known, clock.nowMs());
  };
  // A frame whose checksum is right is no chance: a serial line then, whatever stands before it.
  const { messages, bad, discarded } = createSerialFrames().push(bytes);
  if (messages.length === 0 && messageTypes.has(bytes[0] ?? -1)) return datagrams(bytes).flatMap(each);
  const refused = bad.map(({ cause, bytes: frame }): DecodedItem => {
    return { kind: 'refused', cause, rawHex: frame.toString('hex') };
  });
  const lost: DecodedItem[] =
    discarded > 0 && messages.length + bad.length === 0
      ? [{ kind: 'refused', cause: 'no message and no whole frame', rawHex: bytes.toString('hex') }]
      : [];
  return [...messages.flatMap(each), ...refused, ...lost];
}

/** First bytes of messages. 00 is a connect indication, which a monitor broadcasts. */
const messageTypes = new Set([0x00, 0x09, 0x0a, 0x0c, 0x0d, 0x0e, 0x19, 0xe1]);

function datagrams(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  let rest = bytes;
  for (;;) {
    const length = messageLength(rest);
    if (length >= rest.length || !messageTypes.has(rest.readUInt8(length))) return [...found, rest];
    found.push(rest.subarray(0, length));
    rest = rest.subarray(length);
  }
}

function items(told: Told, zone: string | undefined, nowMs: number): DecodedItem[] {
  return [
    ...(told.identity ? [{ kind: 'identity', identity: told.identity } as const] : []),
    ...told.numerics.map((numeric) => decodedNumeric(numeric, zone)),
    ...told.waves.map(({ series, handle: _, ...block }): DecodedItem => {
      return { kind: 'waveform', metric: series.metric.refId, ...block, takenAtMs: nowMs };
    }),
    ...(told.alerts ?? []).map((alert): DecodedItem => ({
      kind: 'alert',
      alert: { ...alert, phase: 'start' },
    })),
  ];
}
