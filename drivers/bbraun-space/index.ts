import type { DecodedItem } from '../../model/device.ts';
import { defineDriver } from '../driver.ts';
import { alarmStates, createCollector, observe, readRecords } from './codec.ts';
import { createFramer } from './frame.ts';
import { openSession } from './session.ts';
import { settings } from './settings.ts';

export default defineDriver({
  ...settings,

  open: (given, host) => openSession({ ...given, address: given.port }, host),

  decode: (bytes) => {
    const framer = createFramer();
    const collector = createCollector();
    const items: DecodedItem[] = [];
    for (const item of framer.push(bytes).items) {
      if (item.kind === 'bad') {
        items.push(...decodeMessage(collector.rest(), item.raw));
        items.push({ kind: 'refused', cause: item.cause, rawHex: item.raw.toString('hex') });
      } else {
        const whole = collector.push(item.block);
        if (whole) items.push(...decodeMessage(whole, item.raw));
      }
    }
    const rest = framer.rest();
    items.push(...decodeMessage(collector.rest(), rest));
    if (rest.length > 0)
      items.push({ kind: 'refused', cause: 'no end of block', rawHex: rest.toString('hex') });
    return items;
  },
});

function decodeMessage(information: Buffer, raw: Buffer): DecodedItem[] {
  const pumps = readRecords(information);
  const observations = typeof pumps === 'string' ? pumps : observe(pumps);
  if (typeof pumps === 'string' || typeof observations === 'string') {
    return [{ kind: 'refused', cause: String(observations), rawHex: raw.toString('hex') }];
  }
  return [
    ...observations.map((observation): DecodedItem => ({ kind: 'observation', ...observation })),
    ...[...alarmStates(pumps).values()].flatMap((alert): DecodedItem[] =>
      alert ? [{ kind: 'alert', alert }] : [],
    ),
  ];
}
