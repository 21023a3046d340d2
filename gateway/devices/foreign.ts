import { foreignGrant } from '../../drivers/settings.ts';
import type { Device } from '../../model/device.ts';
import type { DeviceId } from '../../model/ids.ts';

const nobody: ReadonlySet<DeviceId> = new Set();

/**
 * Who publishes MQTT of its own kind, on which topics, and for whom (DESIGN 2, foreign MQTT). A topic belongs to one
 * device, so a value cannot come under two names; a Sparkplug node's topics are shared by the devices behind it.
 */
export class ForeignGrants {
  /** Live: the front door holds these sets as rights. */
  private readonly bySender = new Map<DeviceId, Map<string, Set<DeviceId>>>();
  private readonly topics = new Map<DeviceId, Set<string>>();

  /** What `sender` may publish on, as it is at each moment. */
  topicsOf(sender: DeviceId): ReadonlySet<string> {
    let topics = this.topics.get(sender);
    if (!topics) this.topics.set(sender, (topics = new Set()));
    return topics;
  }

  /** The devices that a message of this sender on this topic is about. */
  devicesOn(sender: DeviceId, topic: string): ReadonlySet<DeviceId> {
    return this.bySender.get(sender)?.get(topic) ?? nobody;
  }

  /** Some device is read from what this one publishes. */
  isSender(id: DeviceId): boolean {
    return (this.topics.get(id)?.size ?? 0) > 0;
  }

  /** The first topic that another device has already, and that device. */
  conflict(device: Device): { readonly topic: string; readonly device: DeviceId } | undefined {
    const grant = grantOf(device);
    if (!grant) return undefined;
    const sender = grant.sender ?? device.id;
    for (const topic of grant.topics) {
      for (const other of this.devicesOn(sender, topic))
        if (other !== device.id) return { topic, device: other };
    }
    return undefined;
  }

  /** It is to come over the raw lane, and no topic is named. */
  hasNone(device: Device): boolean {
    return grantOf(device)?.topics.length === 0;
  }

  hold(device: Device): void {
    const grant = grantOf(device);
    if (!grant) return;
    const sender = grant.sender ?? device.id;
    const held = this.bySender.get(sender) ?? new Map<string, Set<DeviceId>>();
    this.bySender.set(sender, held);
    for (const topic of [...grant.topics, ...(grant.shared ?? [])]) {
      held.set(topic, (held.get(topic) ?? new Set()).add(device.id));
      (this.topicsOf(sender) as Set<string>).add(topic);
    }
  }

  drop(device: Device): void {
    const grant = grantOf(device);
    if (!grant) return;
    const sender = grant.sender ?? device.id;
    const held = this.bySender.get(sender);
    for (const topic of [...grant.topics, ...(grant.shared ?? [])]) {
      const devices = held?.get(topic);
      devices?.delete(device.id);
      if (devices && devices.size > 0) continue;
      held?.delete(topic);
      (this.topicsOf(sender) as Set<string>).delete(topic);
    }
  }
}

const grantOf = ({ driver, settings }: Device): ReturnType<typeof foreignGrant> =>
  driver === undefined ? undefined : foreignGrant(driver, settings ?? {});
