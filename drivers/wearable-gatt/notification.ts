import { cgm, glucose, thermometer, weight } from './body.ts';
import { bloodPressure, heartRate, oximeterContinuous, oximeterSpot } from './circulation.ts';
import type { Packet, ReadPacket } from './packet.ts';
import { createReader } from './reader.ts';
import { characteristics, type Characteristic } from './settings.ts';

/** The only service of ours that is a stream: its notifications split and join frames. */
export const streamed = '6e400003';
type Packaged = Exclude<Characteristic, typeof streamed>;

const packets: Readonly<Record<Exclude<Packaged, '2aa7'>, ReadPacket>> = {
  '2a37': heartRate,
  '2a5e': oximeterSpot,
  '2a5f': oximeterContinuous,
  '2a35': bloodPressure,
  '2a1c': thermometer,
  '2a9d': weight,
  '2a18': glucose,
};

/** What one notification of a health profile says; `timeZone` is of the times that stand in it. */
export function readNotification(which: Packaged, bytes: Buffer, timeZone: string): Packet {
  if (bytes.length === 0) return { cause: 'no bytes' };
  return which === '2aa7' ? cgm(bytes) : packets[which](createReader(bytes), timeZone);
}

/** A characteristic by its 16-bit number or its whole UUID, however it is written; undefined for one not read here. */
export function characteristicOf(text: string): Characteristic | undefined {
  const plain = text
    .toLowerCase()
    .replace(/^0x/, '')
    .replace(/[^0-9a-z]/g, '');
  if (/^pc60fw$|^6e400003(b5a3f393e0a9e50e24dcca9e)?$/.test(plain)) return streamed;
  const short = /^(?:0000)?([0-9a-f]{4})(?:00001000800000805f9b34fb)?$/.exec(plain)?.[1];
  return characteristics.find((each) => each === short);
}
