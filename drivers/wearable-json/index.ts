import { Fault } from '../../model/fault.ts';
import type { DecodedItem } from '../../model/device.ts';
import { Value } from 'typebox/value';
import { defineDriver, type DecodeOptions } from '../driver.ts';
import { createTeller } from '../transport/teller.ts';
import { decodeAll, type Told } from '../transport/told.ts';
import { readMessage, type Properties } from './message.ts';
import { readPayload } from './payload.ts';
import { settings } from './settings.ts';
import { createSparkplug, type SparkplugTold } from './sparkplug.ts';

export default defineDriver({
  ...settings,

  /** Reads what gateways on the ward publish; nothing is ever sent to the wearable. */
  async open({ device, properties, property, sparkplug: name }, host) {
    const tell = createTeller({ device, host });
    const sparkplug = createSparkplug(name, properties);
    const tellSparkplug = (told: readonly SparkplugTold[]): void => {
      const lost = told.some((each) => each.kind === 'link');
      if (lost) host.link(device, 'lost', new Fault('WIRE_CLOSED', { address: device }));
      else if (away) host.link(device, 'connected');
      away = lost;
      tell(told.filter((each): each is Told => each.kind !== 'link'));
    };
    host.link(device, 'searching');
    let away = false;
    const listener = await host.raw((topic, payload) => {
      if (topic.startsWith('spBv1.0/'))
        return tellSparkplug(sparkplug.read(topic, payload, host.clock.nowMs()));
      const presence = presenceOf(topic, payload);
      if (presence === 'offline') host.link(device, 'lost', new Fault('WIRE_CLOSED', { address: topic }));
      else if (away || presence === 'online') host.link(device, 'connected');
      away = presence === 'offline';
      if (!presence) tell(readMessage(payload, properties, wordOf(topic) ?? property));
    });
    // The ward's gateway says by itself when the wearable is there again.
    return { close: () => listener.close(), recovers: true };
  },

  decode: decodeBytes,
});

/** ESPHome: `…/sensor/<word>/state`, and `…/status` for the whole node (its will says offline). */
const wordOf = (topic: string): string | undefined => /\/([^/]+)\/state$/.exec(topic)?.[1];

function presenceOf(topic: string, payload: Buffer): 'online' | 'offline' | undefined {
  const said = payload.toString('latin1').trim();
  return /(^|\/)(status|LWT)$/.test(topic) && (said === 'online' || said === 'offline') ? said : undefined;
}

/** One message. A bare state is read by the word of the settings' `property`. */
function decodeBytes(bytes: Buffer, { settings: given }: DecodeOptions): DecodedItem[] {
  const properties = Value.Check(settings.settings.properties.properties, given?.['properties'])
    ? (given?.['properties'] as Properties)
    : {};
  const word = typeof given?.['property'] === 'string' ? given['property'] : undefined;
  const read = (): Told[] =>
    isSparkplug(bytes) ? sparkplugAlone(bytes, properties) : readMessage(bytes, properties, word);
  return decodeAll({ push: read, rest: () => [] }, bytes);
}

/** A payload begins with its timestamp or its first metric; no text does, and what is no such payload has no metrics. */
const isSparkplug = (bytes: Buffer): boolean =>
  (bytes[0] === 0x08 || bytes[0] === 0x12) && (readPayload(bytes)?.metrics.length ?? 0) > 0;

/** Without a topic, as data of a device; each metric at the time it says. */
function sparkplugAlone(bytes: Buffer, properties: Properties): Told[] {
  const nowMs = readPayload(bytes)?.timestamp ?? 0;
  const told = createSparkplug(undefined, properties).read('spBv1.0/-/DDATA/-/-', bytes, nowMs);
  return told.filter((each): each is Told => each.kind !== 'link');
}
