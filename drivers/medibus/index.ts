import type { DecodedItem } from '../../model/device.ts';
import { Fault } from '../../model/fault.ts';
import { instantOf, isZone } from '../../model/local-time.ts';
import { defineDriver } from '../driver.ts';
import { readResponse } from './codec.ts';
import { createFramer, type Item } from './frame.ts';
import { openSession } from './session.ts';
import { settings } from './settings.ts';

export default defineDriver({
  ...settings,

  async open(given, host) {
    const { timeZone } = given;
    if (timeZone !== undefined && !isZone(timeZone)) {
      throw new Fault('DRIVER_SETTINGS', { path: '/timeZone', driver: settings.name, cause: 'no such zone' });
    }
    const instant =
      timeZone === undefined
        ? undefined
        : (clock: Parameters<typeof instantOf>[0]) => instantOf(clock, timeZone);
    return openSession({ ...given, address: given.port, instant }, host);
  },

  decode: (bytes) => {
    const framer = createFramer();
    const items = framer.push(bytes).items.flatMap(decodeItem);
    const rest = framer.rest();
    if (rest.length > 0)
      items.push({ kind: 'refused', cause: 'no end of frame', rawHex: rest.toString('hex') });
    return items;
  },
});

function decodeItem(item: Item): DecodedItem[] {
  if (item.kind === 'flow' || item.kind === 'command') return [];
  const rawHex = item.raw.toString('hex');
  if (item.kind === 'bad') return [{ kind: 'refused', cause: item.cause, rawHex }];
  const said = readResponse(item.code, item.data);
  if (typeof said === 'string') return [{ kind: 'refused', cause: said, rawHex }];
  switch (said.kind) {
    case 'values':
    case 'texts':
      return said.observations.map((observation) => ({ kind: 'observation', ...observation }));
    case 'alarms':
      return said.alerts.map((alert) => ({ kind: 'alert', alert }));
    case 'identity':
      return [{ kind: 'identity', identity: said.identity }];
    case 'refused':
      return [{ kind: 'refused', cause: 'the device does not know this code', rawHex }];
    case 'clock':
    case 'nothing':
      return [];
    default:
      return said satisfies never;
  }
}
