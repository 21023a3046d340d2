import type { DeviceId, HostId, WardId } from '../model/ids.ts';
import { hostMayPublish, hostMaySubscribe, hostTopic, parseTopic, type Topic } from './topics.ts';

/** Who signed in. Client id and user name are its `id`. */
export type Identity =
  | {
      readonly kind: 'device';
      readonly id: DeviceId;
      /** Foreign topics granted one by one (OpenMQTTGateway, ESPHome, Sparkplug B …), live: what is granted at this moment. */
      readonly extraTopics?: ReadonlySet<string>;
      /** A driver reads what it sends: the contract topics are the driver host's alone. */
      readonly foreignOnly?: true;
    }
  /** `devices` is live: what is registered on the host at this moment. */
  | { readonly kind: 'host'; readonly id: HostId; readonly devices: ReadonlySet<DeviceId> }
  /** A ward display: reads what is published for its ward. */
  | { readonly kind: 'reader'; readonly id: string; readonly ward: WardId };

export interface ForeignTopic {
  readonly kind: 'foreign';
  readonly name: string;
}

/** What a publication of `identity` on `name` is; undefined when it has no right to that topic. */
export function publishRight(identity: Identity, name: string): Topic | ForeignTopic | undefined {
  if (identity.kind === 'reader') return undefined;
  const topic = parseTopic(name);
  if (identity.kind === 'device') {
    const own = topic?.kind === 'device' && topic.device === identity.id && !identity.foreignOnly;
    if (own) return topic;
    return identity.extraTopics?.has(name) ? { kind: 'foreign', name } : undefined;
  }
  if (topic?.kind === 'device') return identity.devices.has(topic.device) ? topic : undefined;
  const own = topic?.kind === 'host' && topic.host === identity.id && hostMayPublish.includes(topic.branch);
  return own ? topic : undefined;
}

/** Whether a right once given still stands: a host's devices and a device's foreign topics change while it is connected. */
export function rightStands(identity: Identity, topic: Topic | ForeignTopic): boolean {
  if (identity.kind === 'host') return topic.kind !== 'device' || identity.devices.has(topic.device);
  if (identity.kind === 'device' && topic.kind === 'foreign')
    return identity.extraTopics?.has(topic.name) === true;
  return true;
}

/** Whether `identity` may subscribe to `filter`. A device has nothing to read. */
export function subscribeRight(identity: Identity, filter: string): boolean {
  switch (identity.kind) {
    case 'device':
      return false;
    case 'host':
      return hostMaySubscribe.some((branch) => hostTopic(identity.id, branch) === filter);
    case 'reader':
      return filter.startsWith(`v1/ward/${identity.ward}/`);
    default:
      return identity satisfies never;
  }
}

/** Whether a message on `topic` may go to `identity`: the second lock behind its subscriptions. */
export const readRight = subscribeRight;
