import Type from 'typebox';
import { Value } from 'typebox/value';
import { IdSchema, type DeviceId } from '../../model/ids.ts';
import type { Listener } from '../driver.ts';
import { readJson } from './requests.ts';

/** `v1/host/{hostId}/raw`: one foreign MQTT message, as the gateway journaled it. */
const RawSchema = Type.Object({
  device: IdSchema,
  topic: Type.String({ maxLength: 1024 }),
  /** Its number in the gateway's journal; the seq of what is made of it comes from here. */
  number: Type.Integer({ minimum: 0 }),
  /** base64 */
  payload: Type.String(),
});

type Accept = (topic: string, payload: Buffer, number: number) => void;

export interface RawFeed {
  listen(device: DeviceId, accept: Accept): Listener;
  /** False: not a message of that form, or nobody decodes this device. */
  received(payload: Buffer): boolean;
}

/** Hands foreign MQTT messages to the driver of their device. */
export function createRawFeed(): RawFeed {
  const listeners = new Map<DeviceId, Accept>();
  return {
    listen: (device, accept) => {
      listeners.set(device, accept);
      return { close: async () => void (listeners.get(device) === accept && listeners.delete(device)) };
    },
    received: (payload) => {
      const raw = readJson(payload);
      if (!Value.Check(RawSchema, raw)) return false;
      const accept = listeners.get(raw.device);
      accept?.(raw.topic, Buffer.from(raw.payload, 'base64'), raw.number);
      return accept !== undefined;
    },
  };
}
