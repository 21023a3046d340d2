import type { DecodedItem } from '../../model/device.ts';
import { defineDriver } from '../driver.ts';
import { readAnswer } from './codec.ts';
import { createFramer, type Item } from './frame.ts';
import { openSession } from './session.ts';
import { settings } from './settings.ts';

export default defineDriver({
  ...settings,

  open: (given, host) => openSession({ ...given, address: given.port }, host),

  decode: (bytes) => {
    const framer = createFramer();
    const items = framer.push(bytes).items.flatMap(decodeItem);
    const rest = framer.rest();
    if (rest.length > 0)
      items.push({ kind: 'refused', cause: 'no end of answer', rawHex: rest.toString('hex') });
    return items;
  },
});

function decodeItem(item: Item): DecodedItem[] {
  const rawHex = item.raw.toString('hex');
  if (item.kind === 'bad') return [{ kind: 'refused', cause: item.cause, rawHex }];
  const said = readAnswer(item);
  if (typeof said === 'string') return [{ kind: 'refused', cause: said, rawHex }];
  return [
    ...(said.identity ? [{ kind: 'identity', identity: said.identity } as const] : []),
    ...said.observations.map((observation): DecodedItem => ({ kind: 'observation', ...observation })),
    ...(said.alerts ?? []).map((alert): DecodedItem => ({ kind: 'alert', alert })),
  ];
}
