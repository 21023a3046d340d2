import { defineDriver } from '../driver.ts';
import { openReading } from '../transport/teller.ts';
import { decodeAll } from '../transport/told.ts';
import { createCodec } from './codec.ts';
import { settings } from './settings.ts';

/** 100 samples a second, 1 to 100 without a unit, in blocks of a second. */
const pleth = { metric: 'MDC_PULS_OXIM_PLETH', periodUs: 10_000, gain: 1, offset: 0, block: 100 };

export default defineDriver({
  ...settings,

  /** Listens only: nothing is ever sent to the module. */
  async open({ device, port: address, pleth: kept }, host) {
    const wave = kept ? pleth : undefined;
    const { session } = await openReading({ device, host, address, codec: createCodec(), wave });
    return session;
  },

  decode: (bytes) => decodeAll(createCodec(), bytes),
});
