/**
 * The simulated ward as a process of its own, so that it costs the gateway nothing. Told by its parent on IPC:
 * `{ open: { folder, seed, speed } }`, then `{ wear: { bed, url, clientId, secret } }`; answers `{ beds }`.
 */
import { systemClock } from '../../model/clock.ts';
import { openWard, type Ward } from '../../simulators/ward.ts';

export interface OpenOrder {
  readonly open: { readonly folder: string; readonly seed: number; readonly speed: number };
}
export interface WearOrder {
  readonly wear: {
    readonly bed: string;
    readonly url: string;
    readonly clientId: string;
    readonly secret: string;
  };
}
/** How to reach the monitor of one bed: through a driver, or as a wearable that speaks for itself. */
export interface SimulatedBed {
  readonly bed: string;
  readonly recording: string;
  readonly driver?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
}
export type WardAnswer = { readonly beds: readonly SimulatedBed[] } | { readonly failed: string };

let ward: Ward | undefined;

async function obey(order: OpenOrder | WearOrder): Promise<void> {
  if ('open' in order) {
    ward = await openWard({ clock: systemClock(), ...order.open });
    const beds = ward.beds.map(({ bed, recording, driver, settings }) => ({
      bed,
      recording,
      driver,
      settings,
    }));
    process.send?.({ beds } satisfies WardAnswer);
    return;
  }
  const { bed, url, clientId, secret } = order.wear;
  ward?.beds.find((one) => one.bed === bed)?.wear?.({ url, clientId, secret });
}

process.on('message', (order: OpenOrder | WearOrder) => {
  obey(order).catch((error: unknown) => process.send?.({ failed: String(error) } satisfies WardAnswer));
});
const leave = (): void => {
  void (ward?.close() ?? Promise.resolve()).finally(() => process.exit(0));
};
process.on('disconnect', leave);
process.on('SIGTERM', leave);
process.on('SIGINT', () => undefined);
