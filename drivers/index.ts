import type { Driver } from './driver.ts';
import masimo from './masimo/index.ts';

/** Every driver of this Vigil. */
export const drivers: readonly Driver[] = [masimo] as unknown as readonly Driver[];
