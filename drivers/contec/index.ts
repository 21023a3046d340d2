import { defineDriver } from '../driver.ts';
import { openReading, sendLast } from '../transport/teller.ts';
import { decodeAll } from '../transport/told.ts';
import { createCodec } from './codec.ts';
import { command } from './commands.ts';
import { settings } from './settings.ts';

/** About 60 samples a second, 0 to 127 without a unit, in blocks of a second. */
const pleth = { metric: 'MDC_PULS_OXIM_PLETH', periodUs: 16_667, gain: 1, offset: 0, block: 60 };
const keepaliveMs = 5_000;
/** A device that was switched off and on waits for a new start. */
const restartMs = 3_000;

export default defineDriver({
  ...settings,

  /** Asks for realtime data, keeps it coming, and ends it. Nothing else can be sent (commands.ts). */
  async open({ device, port: address, pleth: kept }, host) {
    const wave = kept ? pleth : undefined;
    const { port, session } = await openReading({ device, host, address, codec: createCodec(), wave });
    let heardAtMs = host.clock.monotonicMs();
    const silentMs = (): number => host.clock.monotonicMs() - heardAtMs;
    port.on('data', () => (heardAtMs = host.clock.monotonicMs()));
    port.write(command('start'));
    const cancels = [
      host.clock.every(keepaliveMs, () => port.write(command('keepalive'))),
      host.clock.every(restartMs, () => silentMs() >= restartMs && port.write(command('start'))),
    ];
    return {
      close: async () => {
        for (const cancel of cancels) cancel();
        await sendLast(port, command('stop'), host.clock);
        await session.close();
      },
    };
  },

  decode: (bytes) => decodeAll(createCodec(), bytes),
});
