import { duplexPair } from 'node:stream';
import mqtt from 'mqtt-packet';
import { Guard } from '../../broker/guard.ts';
import type { CheckedPublish, GuardHouse } from '../../broker/guard-house.ts';
import { brokerLimits } from '../../broker/limits.ts';
import { createFlusher } from '../../broker/outbound.ts';
import { virtualClock } from '../house/virtual-clock.ts';
import { connectPacket, hex, packet, publishPacket, subscribePacket, text, word } from './house.ts';

/** One of each packet a client may send. */
export const seeds: readonly Buffer[] = [
  connectPacket({ will: { topic: 'v1/device/mon-1/state', payload: '{"link":"death"}' }, flags: 0x08 }),
  publishPacket('v1/device/mon-1/observations', '{"seq":1}', { id: 258 }),
  publishPacket('v1/device/mon-1/observations', '{"seq":1}', { id: 258, header: 0x3a }),
  publishPacket('v1/device/mon-1/state', '', { header: 0x31 }),
  subscribePacket(['v1/host/host-1/config', 'v1/ward/+/alarms/#'], 1, 3),
  packet(0xa2, word(4), text('v1/host/host-1/config')),
  hex('40 02 0102'),
  hex('c0 00'),
  publishPacket('v1/device/mon-1/alerts', 'x'.repeat(300), { id: 9 }),
  hex('e0 00'),
];

/** What passes a guard that is given `pieces` one after the other: a line a packet, and the cause of its end. */
export async function guarded(pieces: readonly Buffer[]): Promise<string[]> {
  const lines: string[] = [];
  const [near, far] = duplexPair();
  const clock = virtualClock();
  const house: GuardHouse = {
    limits: brokerLimits,
    clock,
    flusher: createFlusher(),
    admit: ({ clientId, userName, password, clean, keepaliveS, will }) => {
      const { topic, payload, qos, retain } = will ?? {};
      lines.push(
        line('connect', clientId, userName, password, clean, keepaliveS, [
          topic,
          payload?.toString('hex'),
          qos,
          retain,
        ]),
      );
      return undefined;
    },
    start: () => guard.open(),
    grant: (name, bytes) => ({ name, bytes, topic: { kind: 'foreign', name } }),
    stillGranted: () => true,
    mayTake: () => true,
    publish: ({ topic, payload, qos, retain, dup, messageId }: CheckedPublish) =>
      void lines.push(line('publish', topic, payload.toString('hex'), qos, retain, dup, messageId)),
    take: () => undefined,
    subscribe: ({ packetId, filters }) => void lines.push(line('subscribe', packetId, filters)),
    unsubscribe: ({ packetId, filters }) =>
      void lines.push(
        line(
          'unsubscribe',
          packetId,
          filters.map(({ filter }) => filter),
        ),
      ),
    pass: (bytes) => {
      lines.push(bytes[0] === 0x40 ? line('puback', bytes.readUInt16BE(2)) : line(names[bytes[0] ?? 0]));
      if (bytes[0] === 0xe0) guard.close();
    },
    broke: (cause) => void lines.push(`broke: ${cause}`),
    notAllowed: (topic) => void lines.push(`broke: ${topic}`),
    ended: () => undefined,
  };
  const guard = new Guard(near, house);
  far.on('error', () => undefined);
  far.resume();
  for (const piece of pieces) {
    if (near.destroyed || far.destroyed) break;
    far.write(piece);
    await new Promise(setImmediate);
  }
  await new Promise(setImmediate);
  near.destroy();
  far.destroy();
  return lines;
}

const names: Readonly<Record<number, string>> = { 0xc0: 'pingreq', 0xe0: 'disconnect' };
const line = (...parts: readonly unknown[]): string => JSON.stringify(parts.map((part) => part ?? null));

/** The same lines as mqtt-packet reads them; it ends at the first packet it refuses. */
export function readByParser(bytes: Buffer): string[] {
  const lines: string[] = [];
  const parser = mqtt.parser({ protocolVersion: 4 });
  parser.on('packet', (read) => {
    switch (read.cmd) {
      case 'connect': {
        const { topic, payload, qos, retain } = read.will ?? {};
        const will = [topic, payload?.toString('hex'), qos, retain];
        lines.push(
          line('connect', read.clientId, read.username, read.password, read.clean, read.keepalive, will),
        );
        break;
      }
      case 'publish': {
        const payload = read.payload.toString('hex');
        lines.push(line('publish', read.topic, payload, read.qos, read.retain, read.dup, read.messageId));
        break;
      }
      case 'subscribe': {
        const filters = read.subscriptions.map(({ topic, qos }) => ({ filter: topic, qos }));
        lines.push(line('subscribe', read.messageId, filters));
        break;
      }
      case 'unsubscribe':
        lines.push(line('unsubscribe', read.messageId, read.unsubscriptions));
        break;
      case 'puback':
        lines.push(line('puback', read.messageId));
        break;
      default:
        lines.push(line(read.cmd));
    }
  });
  parser.on('error', () => undefined);
  parser.parse(bytes);
  return lines;
}
