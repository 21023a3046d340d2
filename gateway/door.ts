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
  return device(house, clientId);
}

/** One with a driver signs in only to publish MQTT of its own kind; the contract's topics are its host's. */
function device({ registry }: House, id: string): DoorIdentity | undefined {
  const known = registry.get(id);
  if (!known) return undefined;
  const extraTopics = registry.foreign.topicsOf(id);
  if (known.driver === undefined) return { kind: 'device', id, extraTopics };
  return registry.foreign.isSender(id) ? { kind: 'device', id, extraTopics, foreignOnly: true } : undefined;
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
      return house.rawLane.take(
        {
          devices: house.registry.foreign.devicesOn(publication.clientId, topic.name),
          topic: topic.name,
          payload: publication.payload,
          confirmed: publication.qos === 1,
        },
        confirm,
      );
    default:
      topic satisfies never;
  }
}
