import type { DecodedItem } from '../../model/device.ts';
import { Fault } from '../../model/fault.ts';
import { isZone } from '../../model/local-time.ts';
import { defineDriver } from '../driver.ts';
import { readAnswer } from './codec.ts';
import { createLines, readFrame } from './frame.ts';
import { openSession } from './session.ts';
import { settings } from './settings.ts';

export default defineDriver({
  ...settings,

  async open(given, host) {
    if (given.timeZone !== undefined && !isZone(given.timeZone)) {
      throw new Fault('DRIVER_SETTINGS', { path: '/timeZone', driver: settings.name, cause: 'no such zone' });
    }
    return openSession({ ...given, address: given.port }, host);
  },

  decode: (bytes) => {
    const lines = createLines();
    const whole = lines.push(bytes).lines;
    return [...whole, lines.rest()].filter((line) => line.trim() !== '').flatMap(decodeLine);
  },
});

function decodeLine(line: string): DecodedItem[] {
  const frame = readFrame(line);
  const answer = typeof frame === 'string' ? frame : readAnswer(frame);
  if (typeof answer === 'string') {
    return [{ kind: 'refused', cause: answer, rawHex: Buffer.from(line, 'latin1').toString('hex') }];
  }
  return [
    { kind: 'identity', identity: answer.identity },
    ...answer.observations.map((observation): DecodedItem => ({ kind: 'observation', ...observation })),
    ...answer.alerts.map((alert): DecodedItem => ({ kind: 'alert', alert })),
  ];
}
