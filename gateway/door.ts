import { timingSafeEqual } from 'node:crypto';
import type { Identity as DoorIdentity, Publication } from '../broker/broker.ts';
import type { Fault } from '../model/fault.ts';
import { ownHost } from './devices/registry.ts';
import type { House } from './house.ts';

/** Who knocks: a registered device that speaks the contract itself, or a driver host. Undefined: turned away. */
export function whoIs(house: House, clientId: string, secret: Buffer): DoorIdentity | undefined {
  if (clientId === ownHost) {
    const own = Buffer.from(house.ownSecret);
    const fits = own.length === secret.length && timingSafeEqual(own, secret);
    return fits ? { kind: 'host', id: ownHost, devices: house.registry.devicesOf(ownHost) } : undefined;
  }
  if (!house.credentials.authenticate(clientId, secret.toString('latin1'))) return undefined;
  if (house.farHosts.has(clientId))
    return { kind: 'host', id: clientId, devices: house.registry.devicesOf(clientId) };
  const device = house.registry.get(clientId);
  return device && device.driver === undefined ? { kind: 'device', id: clientId } : undefined;
}

/** A publication that passed the door goes to the room its topic names. */
export function take(house: House, publication: Publication, confirm: (outcome?: Fault) => void): void {
  const { topic } = publication;
  switch (topic.kind) {
    case 'device':
      return house.intake.take({ topic, payload: publication.payload, will: publication.will }, confirm);
    case 'host':
      house.hosts.take(topic.host, topic.branch, publication.payload);
      return confirm();
    case 'foreign':
      // No device is granted a foreign topic yet: nothing comes here.
      return confirm();
    default:
      topic satisfies never;
  }
}
