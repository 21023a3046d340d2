import { Fault } from '../../model/fault.ts';
import type { DecodedItem } from '../../model/device.ts';
import { Value } from 'typebox/value';
import { defineDriver, type DecodeOptions } from '../driver.ts';
import { createTeller } from '../transport/teller.ts';
import { decodeAll } from '../transport/told.ts';
import { readMessage, type Properties } from './message.ts';
import { settings } from './settings.ts';

export default defineDriver({
  ...settings,

  /** Reads what gateways on the ward publish; nothing is ever sent to the wearable. */
  async open({ device, properties, property }, host) {
    const tell = createTeller({ device, host });
    host.link(device, 'searching');
    let away = false;
    const listener = await host.raw((topic, payload) => {
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
  const message = { push: () => readMessage(bytes, properties, word), rest: () => [] };
  return decodeAll(message, bytes);
}
