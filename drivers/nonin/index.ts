import { defineDriver } from '../driver.ts';
import { openReading } from '../transport/teller.ts';
import { decodeAll } from '../transport/told.ts';
import { createCodec, type Format } from './codec.ts';
import { settings } from './settings.ts';

/** 75 samples a second, in blocks of a second. The wave has no unit: 8 bits in format 2, 15 kept of 16 in format 7. */
const pleth = { metric: 'MDC_PULS_OXIM_PLETH', periodUs: 13_333, gain: 1, offset: 0, block: 75 };

export default defineDriver({
  ...settings,

  /** Listens only: nothing is ever sent to the oximeter. */
  async open({ device, port: address, format, pleth: kept }, host) {
    const wave = kept ? pleth : undefined;
    const { session } = await openReading({ device, host, address, codec: createCodec(format), wave });
    return session;
  },

  decode: (bytes, { settings: given }) => decodeAll(createCodec(formatOf(given?.['format'])), bytes),
});

const formats: readonly unknown[] = ['2', '7', '8'];
const formatOf = (given: unknown): Format | 'auto' => {
  const word = typeof given === 'number' ? String(given) : given;
  return formats.includes(word) ? (word as Format) : 'auto';
};
