import Type from 'typebox';
import { Value } from 'typebox/value';
import { pause } from '../../model/clock.ts';
import { Fault, type FaultReport } from '../../model/fault.ts';
import { HostRequestSchema, type HostReply, type HostRequest } from '../../model/wire.ts';
import type { Emitted } from '../driver.ts';
import type { LoadDriver } from '../index.ts';
import { checkSettings } from '../settings.ts';
import { runDevice } from './device-run.ts';
import type { DeviceId } from '../../model/ids.ts';
import type { DeviceReport } from './device-health.ts';
import type { Discovery } from './discoveries.ts';
import type { HostServices } from './session-host.ts';

/** What a test shows at most: ten seconds of a talkative device. */
const mostSeen = 500;
const RequestIdSchema = Type.Object({ requestId: Type.String({ minLength: 1, maxLength: 128 }) });

/** What requests need beside what a session does. */
export interface RequestServices extends HostServices {
  readonly discoveries: () => readonly Discovery[];
  /** Listens in on a device that runs; undefined when it does not run here. */
  readonly watch: (
    device: DeviceId,
    see: (items: readonly Emitted[]) => void,
  ) => { readonly report: () => DeviceReport | undefined; readonly end: () => void } | undefined;
  readonly maps: ReadonlyMap<string, unknown>;
}

/** Answers a request of the gateway; undefined when nobody can be answered. Never throws on input. */
export async function answerRequest(
  payload: Buffer,
  loadDriver: LoadDriver,
  services: RequestServices,
): Promise<HostReply | undefined> {
  const asked = readJson(payload);
  if (!Value.Check(RequestIdSchema, asked)) return undefined;
  const { requestId } = asked;
  if (!Value.Check(HostRequestSchema, asked)) {
    const cause = 'a request of another form';
    return {
      requestId,
      seen: [],
      fault: new Fault('CONTRACT_PAYLOAD', { device: 'gateway', cause }).toJSON(),
    };
  }
  switch (asked.ask) {
    case 'test':
      return { requestId, ...(await testDevice(asked, loadDriver, services)) };
    case 'watch':
      return { requestId, ...(await watchDevice(asked, services)) };
    case 'discovered':
      return { requestId, seen: [...services.discoveries()] };
    case 'maps':
      return { requestId, seen: [...services.maps].map(([name, content]) => ({ name, content })) };
    case 'check-map':
      return { requestId, ...(await checkMap(asked, loadDriver)) };
    case 'discover-serial': {
      const { listSerial } = await import('../transport/serial.ts');
      return { requestId, seen: await listSerial() };
    }
    default:
      return asked satisfies never;
  }
}

/** Opens a device without registering it and collects what it says. */
async function testDevice(
  asked: Extract<HostRequest, { ask: 'test' }>,
  loadDriver: LoadDriver,
  services: HostServices,
): Promise<{ seen: unknown[]; fault?: FaultReport }> {
  const checked = checkSettings(asked.driver, asked.settings);
  const driver = await loadDriver(asked.driver);
  const wrong = checked.faults?.[0];
  if (!driver || wrong) return { seen: [], ...(wrong && { fault: wrong.toJSON() }) };
  const seen: unknown[] = [];
  let fault: Fault | undefined;
  const see = (...items: readonly unknown[]): void => {
    seen.push(...items.slice(0, Math.max(0, mostSeen - seen.length)));
  };
  const spec = { device: 'test', driver, settings: checked.settings ?? {}, periodMs: 60_000 };
  const discovered: HostServices['discovered'] = (item) => see({ kind: 'discovered', ...item });
  const run = runDevice(
    spec,
    { ...services, discovered },
    {
      emit: (_, items) => see(...items.map(plain)),
      kept: async () => {},
      born: (_, { identity }) => void (identity && see({ kind: 'identity', identity })),
      died: (_, why) => {
        fault ??= why;
      },
    },
  );
  await pause(services.clock, asked.forMs);
  const { lastFault } = run.report();
  await run.close();
  if (seen.length > 0) return { seen };
  const told = (fault?.toJSON() ?? lastFault) as FaultReport | undefined;
  const silent = new Fault('WIRE_SILENT', { address: addressOf(asked.settings), sinceMs: asked.forMs });
  return { seen, fault: told ?? silent.toJSON() };
}

/** What a device that runs says meanwhile; nothing of it is touched. */
async function watchDevice(
  { device, forMs }: Extract<HostRequest, { ask: 'watch' }>,
  services: RequestServices,
): Promise<{ seen: unknown[]; fault?: FaultReport }> {
  const seen: unknown[] = [];
  const watching = services.watch(device, (items) => {
    seen.push(...items.map(plain).slice(0, Math.max(0, mostSeen - seen.length)));
  });
  if (!watching) return { seen, fault: new Fault('DEVICE_NOT_RUN', { device }).toJSON() };
  await pause(services.clock, forMs);
  watching.end();
  const lastFault = watching.report()?.lastFault as FaultReport | undefined;
  if (seen.length > 0) return { seen };
  return { seen, fault: lastFault ?? new Fault('WIRE_SILENT', { address: device, sinceMs: forMs }).toJSON() };
}

async function checkMap(
  { driver, name, content }: Extract<HostRequest, { ask: 'check-map' }>,
  loadDriver: LoadDriver,
): Promise<{ seen: unknown[]; fault?: FaultReport }> {
  const found = await loadDriver(driver);
  if (!found?.checkMap) {
    const cause = `driver ${driver} reads no maps`;
    return { seen: [], fault: new Fault('MAP_INVALID', { map: name, path: '/driver', cause }).toJSON() };
  }
  try {
    found.checkMap(name, content);
    return { seen: [] };
  } catch (error) {
    if (error instanceof Fault) return { seen: [], fault: error.toJSON() };
    throw error;
  }
}

/** Samples are told by their count: a test is read by a person. */
const plain = (item: Emitted): unknown =>
  item.kind === 'waveform' ? { ...item, samples: item.samples.length } : item;

const addressOf = (settings: Readonly<Record<string, unknown>>): string =>
  String(settings['port'] ?? settings['endpoint'] ?? 'the device');

export function readJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
