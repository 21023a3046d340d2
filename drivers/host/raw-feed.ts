import { Value } from 'typebox/value';
import type { Clock } from '../../model/clock.ts';
import type { DeviceId } from '../../model/ids.ts';
import { messagesPerRaw, RawMessageSchema, type RawMessage, type RawReply } from '../../model/wire.ts';
import type { Listener } from '../driver.ts';
import { readJson } from './requests.ts';

type Accept = (topic: string, payload: Buffer, receivedAtMs: number) => void;

/** Under which boot and seqs what is made of the message at hand goes out. */
export interface RawNumbers {
  readonly boot: string;
  take(): number;
}

export interface RawFeed {
  listen(device: DeviceId, accept: Accept): Listener;
  /**
   * Hands a message to the driver of its device; answers what to tell the gateway, `kept` once all of it is on disk.
   * Undefined: no message of that form, or one without a number.
   */
  received(payload: Buffer): RawReply | undefined;
  /** While a driver reads a message that has a number: the numbers of what comes of it. */
  readonly numbers: RawNumbers | undefined;
  /** The gateway's clock minus this host's, by the newest message. Births of devices behind the lane tell its clock. */
  readonly offsetMs: number;
  serves(device: DeviceId): boolean;
}

export interface RawFeedOptions {
  readonly clock: Clock;
  /** Before and after a message was read: what was emitted must not mix with what comes of others. */
  readonly flush: (device: DeviceId) => void;
}

/** Foreign MQTT on its way to the driver of its device. */
export function createRawFeed({ clock, flush }: RawFeedOptions): RawFeed {
  const listeners = new Map<DeviceId, Accept>();
  let numbers: RawNumbers | undefined;
  let offsetMs = 0;

  const read = (raw: RawMessage, accept: Accept): void => {
    flush(raw.device);
    numbers = numbersOf(raw);
    try {
      accept(raw.topic, Buffer.from(raw.payload, 'base64'), raw.receivedAtMs);
      flush(raw.device);
    } finally {
      numbers = undefined;
    }
  };

  return {
    listen: (device, accept) => {
      listeners.set(device, accept);
      return { close: async () => void (listeners.get(device) === accept && listeners.delete(device)) };
    },
    received: (payload) => {
      const raw = readJson(payload);
      if (!Value.Check(RawMessageSchema, raw)) return undefined;
      offsetMs = raw.sentAtMs - clock.nowMs();
      const accept = listeners.get(raw.device);
      if (accept) read(raw, accept);
      return raw.number === undefined ? undefined : { raw: raw.number, outcome: accept ? 'kept' : 'unread' };
    },
    serves: (device) => listeners.has(device),
    get numbers() {
      return numbers;
    },
    get offsetMs() {
      return offsetMs;
    },
  };
}

function numbersOf({ boot, number }: RawMessage): RawNumbers | undefined {
  if (boot === undefined || number === undefined) return undefined;
  let next = number * messagesPerRaw;
  // One raw message never becomes so many; past the last number the next message's would be taken.
  const last = next + messagesPerRaw - 1;
  return { boot, take: () => Math.min(next++, last) };
}
