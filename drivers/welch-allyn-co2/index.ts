import { defineDriver } from '../driver.ts';
import { openReading } from '../transport/teller.ts';
import { decodeAll } from '../transport/told.ts';
import { createCodec, waveGain } from './codec.ts';
import { settings } from './settings.ts';

export default defineDriver({
  ...settings,

  /** Listens only: nothing is ever sent to the module. */
  async open({ device, port: address, wavePeriodMs }, host) {
    const wave =
      wavePeriodMs === undefined
        ? undefined
        : {
            metric: 'co2-wave',
            periodUs: Math.round(wavePeriodMs * 1000),
            gain: waveGain,
            offset: 0,
            block: Math.max(1, Math.round(1000 / wavePeriodMs)),
          };
    const codec = createCodec();
    const { session } = await openReading({ device, host, address, codec, wave, without: ['co2-wave'] });
    return session;
  },

  decode: (bytes) => decodeAll(createCodec(), bytes),
});
