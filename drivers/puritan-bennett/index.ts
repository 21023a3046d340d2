import type { DecodedItem } from '../../model/device.ts';
import { Fault } from '../../model/fault.ts';
import { isZone } from '../../model/local-time.ts';
import { defineDriver } from '../driver.ts';
import { readAnswer } from './codec.ts';
import { createLines, readFrame } from './frame.ts';
import { openSession, openWaves } from './session.ts';
import { settings } from './settings.ts';
import { createWaves, type Wave } from './wave.ts';

export default defineDriver({
  ...settings,

  async open(given, host) {
    if (given.timeZone !== undefined && !isZone(given.timeZone)) {
      throw new Fault('DRIVER_SETTINGS', { path: '/timeZone', driver: settings.name, cause: 'no such zone' });
    }
    const { request, ...rest } = { ...given, address: given.port };
    return request === 'waves' ? openWaves(rest, host) : openSession({ ...rest, request }, host);
  },

  decode: (bytes, { clock }) => {
    const lines = createLines();
    const waves = createWaves();
    const timed = ({ lengthMs, ...wave }: Wave): DecodedItem => ({
      kind: 'waveform',
      ...wave,
      takenAtMs: clock.nowMs() - lengthMs,
    });
    const whole = lines.push(bytes).lines;
    const items = [...whole, lines.rest()]
      .filter((line) => line.trim() !== '')
      .flatMap((line) => waves.push(line)?.map(timed) ?? decodeLine(line));
    return [...items, ...waves.rest().map(timed)];
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
