import type { Driver } from './driver.ts';
import masimo from './masimo/index.ts';
import modbus from './modbus/index.ts';

/** Every driver of this Vigil. */
export const drivers: readonly Driver[] = [masimo, modbus] as unknown as readonly Driver[];
