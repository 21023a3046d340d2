import { Fault } from '../model/fault.ts';
import { isId } from '../model/ids.ts';
import type { Bans } from './bans.ts';
import type { Crowd } from './crowd.ts';
import type { BrokerLimits } from './limits.ts';
import { levelsOf, type Connect, type Will } from './packets.ts';
import { plainName } from './refusals.ts';
import { publishRight, type Identity } from './rights.ts';

/** The answer to a CONNECT: who it is, or the CONNACK code that refuses it and why. */
export type Admission =
  | { readonly identity: Identity; readonly refused?: undefined }
  | { readonly refused: number; readonly fault: Fault };

/** CONNACK return codes of MQTT 3.1.1, table 3.1. */
const identifierRejected = 2;
const unavailable = 3;
const notAuthorized = 5;

/** Judges CONNECTs: the secret, the will, and how often the client comes. */
export function createAdmission(options: {
  readonly limits: BrokerLimits;
  readonly bans: Bans;
  readonly crowd: Crowd;
  authenticate(clientId: string, secret: Buffer): Identity | undefined;
}): (connect: Connect, address: string) => Admission {
  const { limits, bans, crowd } = options;

  const identify = ({ clientId, userName, password }: Connect): Identity | number => {
    if (clientId === '') return identifierRejected;
    if (clientId !== userName || !password || !isId(clientId)) return notAuthorized;
    return options.authenticate(clientId, password) ?? notAuthorized;
  };

  return (connect, address) => {
    const { clientId, will } = connect;
    const client = plainName(clientId) || address;
    // A wrong secret counts against the id at that address only: nobody bans a device by using its name.
    const pair = `pair ${client} ${address}`;
    if (bans.isBanned(pair)) return { refused: unavailable, fault: new Fault('DOOR_BANNED', { client }) };
    const identity = identify(connect);
    if (typeof identity === 'number') {
      bans.count(pair);
      crowd.misbehaved(address);
      return { refused: identity, fault: new Fault('DOOR_NOT_AUTHENTICATED', { client }) };
    }
    // Whoever is connected stays: of two that take each other over one goes on sending.
    if (bans.count(clientId)) return { refused: unavailable, fault: new Fault('DOOR_BANNED', { client }) };
    if (will && !willRight(identity, will, limits)) {
      const topic = plainName(will.topic);
      return { refused: notAuthorized, fault: new Fault('DOOR_NOT_ALLOWED', { client, topic }) };
    }
    return { identity };
  };
}

/**
 * A will has the rights of every publication. Retained it would outlive what it says: refused on the contract's
 * branches; on a foreign topic, where such wills are the rule, it is taken and not retained.
 */
function willRight(identity: Identity, will: Will, limits: BrokerLimits): boolean {
  if (levelsOf(will.topic) > limits.topicLevels) return false;
  const topic = publishRight(identity, will.topic);
  return topic !== undefined && (topic.kind === 'foreign' || !will.retain);
}
