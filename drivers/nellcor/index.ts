import { Fault } from '../../model/fault.ts';
import { isZone } from '../../model/local-time.ts';
import { defineDriver } from '../driver.ts';
import { openReading } from '../transport/teller.ts';
import { decodeAll } from '../transport/told.ts';
import { createCodec } from './codec.ts';
import { settings } from './settings.ts';

export default defineDriver({
  ...settings,

  /** Listens only: nothing is ever sent to the oximeter, its menu is never opened. */
  async open({ device, port: address, timeZone }, host) {
    if (timeZone !== undefined && !isZone(timeZone)) {
      throw new Fault('DRIVER_SETTINGS', { path: '/timeZone', driver: settings.name, cause: 'no such zone' });
    }
    const { session } = await openReading({ device, host, address, codec: createCodec(timeZone) });
    return session;
  },

  decode: (bytes) => decodeAll(createCodec(), bytes),
});
