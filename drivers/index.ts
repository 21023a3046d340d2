import type { Driver } from './driver.ts';

type Load = () => Promise<{ readonly default: unknown }>;

/** Every driver of this Vigil, each loaded when a device first needs it: one library more costs nobody else. */
const loaders: Readonly<Record<string, Load>> = {
  masimo: () => import('./masimo/index.ts'),
  modbus: () => import('./modbus/index.ts'),
  opcua: () => import('./opcua/index.ts'),
  medibus: () => import('./medibus/index.ts'),
  'puritan-bennett': () => import('./puritan-bennett/index.ts'),
  'bbraun-space': () => import('./bbraun-space/index.ts'),
  alaris: () => import('./alaris/index.ts'),
  nonin: () => import('./nonin/index.ts'),
  nellcor: () => import('./nellcor/index.ts'),
  berry: () => import('./berry/index.ts'),
  contec: () => import('./contec/index.ts'),
  capnostream: () => import('./capnostream/index.ts'),
  'welch-allyn-co2': () => import('./welch-allyn-co2/index.ts'),
  'philips-intellivue': () => import('./philips-intellivue/index.ts'),
  'wearable-gatt': () => import('./wearable-gatt/index.ts'),
  'wearable-json': () => import('./wearable-json/index.ts'),
  'ge-dri': () => import('./ge-dri/index.ts'),
  ivy: () => import('./ivy/index.ts'),
  'hl7-listener': () => import('./hl7-listener/index.ts'),
};

export const driverNames: readonly string[] = Object.keys(loaders);

/** The driver of that name; undefined where there is none. */
export async function loadDriver(name: string): Promise<Driver | undefined> {
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
  // Each driver's settings have a type of their own; the host checks them against its schema before open().
  return load && ((await load()).default as Driver);
}
export type LoadDriver = typeof loadDriver;
