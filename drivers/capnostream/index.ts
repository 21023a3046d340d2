import { Fault } from '../../model/fault.ts';
import { isZone } from '../../model/local-time.ts';
import { defineDriver } from '../driver.ts';
import { openReading, sendLast } from '../transport/teller.ts';
import { decodeAll } from '../transport/told.ts';
import { createCodec, waveGain } from './codec.ts';
import { command } from './commands.ts';
import { settings } from './settings.ts';

const keepaliveMs = 2_000;
/** A monitor that was switched off and on waits to be asked again. */
const restartMs = 5_000;

export default defineDriver({
  ...settings,

  /** Opens the link, asks for realtime data and keeps it coming. Nothing else can be sent (commands.ts). */
  async open({ device, port: address, timeZone, wavePeriodMs }, host) {
    if (timeZone !== undefined && !isZone(timeZone)) {
      throw new Fault('DRIVER_SETTINGS', { path: '/timeZone', driver: settings.name, cause: 'no such zone' });
    }
    const wave = wavePeriodMs === undefined ? undefined : waveEvery(wavePeriodMs);
    const codec = createCodec(timeZone);
    const { port, session } = await openReading({
      device,
      host,
      address,
      codec,
      wave,
      without: ['co2-wave'],
    });
    let heardAtMs = host.clock.monotonicMs();
    port.on('data', () => (heardAtMs = host.clock.monotonicMs()));
    const ask = (): void => {
      port.write(command('enable'));
      port.write(command('startRealtime'));
    };
    ask();
    const cancels = [
      host.clock.every(keepaliveMs, () => port.write(command('linkActive'))),
      host.clock.every(restartMs, () => void (host.clock.monotonicMs() - heardAtMs >= restartMs && ask())),
    ];
    return {
      close: async () => {
        for (const cancel of cancels) cancel();
        await sendLast(port, Buffer.concat([command('stopRealtime'), command('disable')]), host.clock);
        await session.close();
      },
    };
  },

  decode: (bytes) => decodeAll(createCodec(), bytes),
});

const waveEvery = (periodMs: number) => ({
  metric: 'co2-wave',
  periodUs: Math.round(periodMs * 1000),
  gain: waveGain,
  offset: 0,
  block: Math.max(1, Math.round(1000 / periodMs)),
});
