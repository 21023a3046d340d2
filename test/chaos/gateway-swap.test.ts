// Goal: an observation belongs to the patient who was on the device when it was taken, however late it arrives and
// however late a nurse says who that was (DESIGN promise 3, CLINICAL 11). Way: a whole gateway in its own process; a
// driver host that holds half an hour of two monitors while the patients change beds, a kill -9 while it catches up,
// and a nurse who corrects the hour of the swap the next morning. Each value tells who it was taken of.
import { expect, test } from 'vitest';
import type { ObservationRow } from '../../api/services.ts';
import type { Association, Encounter } from '../../model/census.ts';
import { atRest, openGatewayProcess, until, type GatewayProcess } from '../house/gateway-process.ts';

const HR = 'MDC_ECG_HEART_RATE';
const minuteMs = 60_000;
const seconds = 1_800;

/** Two monitors at two beds, each with a patient since an hour. */
async function openSwap() {
  const gateway = await openGatewayProcess({ devices: 2, hosts: 1 });
  const { items } = await gateway.call<{ items: Association[] }>('GET', '/api/v1/associations?open=true');
  const stands = items.toSorted((a, b) => (a.device < b.device ? -1 : 1));
  const [first, second] = stands;
  if (!first?.encounter || !second?.encounter) throw new Error('nobody is associated');
  const nowMs = Date.now();
  for (const { id } of [first, second])
    await correct(gateway, id, { beginAtMs: nowMs - 60 * minuteMs, reason: 'connected an hour ago' });
  return { gateway, first, second, nowMs };
}

const correct = (gateway: GatewayProcess, id: string, body: object): Promise<Association> =>
  gateway.call<Association>('PATCH', `/api/v1/associations/${id}`, body);

const boot = 'b7f39e01c4d2a6f8';
interface Backlog {
  readonly fromMs: number;
  readonly swapMs: number;
}

/**
 * What the host held back: one value a second of each monitor, 100 for the patient of bed one, 60 for the other. With
 * `some` it ends there, with what is on its way unconfirmed.
 */
async function send(gateway: GatewayProcess, { fromMs, swapMs }: Backlog, some = seconds): Promise<void> {
  const [host] = gateway.clients();
  if (!host) throw new Error('there is no host');
  await host.connect();
  for (const device of ['device-0', 'device-1']) {
    const state = { boot, seq: 0, link: 'birth', clockMs: Date.now() };
    await host.ask(`v1/device/${device}/state`, JSON.stringify(state));
  }
  for (let second = 0; second < some; second++) {
    for (const [place, device] of ['device-0', 'device-1'].entries()) {
      const takenAtMs = fromMs + second * 1_000;
      const whose = takenAtMs < swapMs ? place : 1 - place;
      const values = { [HR]: whose === 0 ? 100 : 60 };
      const message = { boot, seq: second + 1, takenAtMs, historical: true, values };
      host.publish(`v1/device/${device}/observations`, JSON.stringify(message));
    }
    if (second % 100 === 0) await until('the host is not ahead', 30_000, () => host.pending < 400);
  }
  if (some === seconds) await until('all is confirmed', 60_000, () => host.pending === 0);
  host.end();
}

async function valuesOf(gateway: GatewayProcess, whose: string, fromMs: number): Promise<ObservationRow[]> {
  const rows: ObservationRow[] = [];
  let next: string | undefined;
  const asked = `/api/v1/observations?${whose}&metric=${HR}&from=${fromMs}&to=${Date.now()}&limit=1000`;
  do {
    const page = await gateway.call<{ items: ObservationRow[]; next?: string }>(
      'GET',
      next === undefined ? asked : `${asked}&cursor=${next}`,
    );
    rows.push(...page.items);
    next = page.next;
  } while (next !== undefined);
  return rows;
}

const counts = (rows: readonly ObservationRow[]) => ({
  own: rows.filter(({ value }) => value === 100).length,
  other: rows.filter(({ value }) => value === 60).length,
  doubled: rows.length - new Set(rows.map(({ device, seq }) => `${device} ${seq}`)).size,
});

test('two patients change beds while the host holds half an hour of both monitors; a kill in the middle of it', async () => {
  const { gateway, first, second, nowMs } = await openSwap();
  await using house = gateway;
  const swapMs = nowMs - 15 * minuteMs;
  const fromMs = nowMs - 30 * minuteMs;
  for (const { id } of [first, second])
    await house.call('POST', `/api/v1/associations/${id}/end`, { endAtMs: swapMs });
  await house.call('POST', '/api/v1/associations', {
    device: first.device,
    bed: first.bed,
    encounter: second.encounter,
    beginAtMs: swapMs,
  });
  await house.call('POST', '/api/v1/associations', {
    device: second.device,
    bed: second.bed,
    encounter: first.encounter,
    beginAtMs: swapMs,
  });
  await send(house, { fromMs, swapMs }, seconds / 2);
  await house.restart('SIGKILL');
  // What was not confirmed comes again, and what was too: the host's own journal does not know which.
  await send(house, { fromMs, swapMs });
  await atRest(house, 40_000);
  const one = await valuesOf(house, `encounter=${first.encounter}`, fromMs);
  const two = await valuesOf(house, `encounter=${second.encounter}`, fromMs);
  expect(counts(one)).toEqual({ own: seconds, other: 0, doubled: 0 });
  expect(counts(two)).toEqual({ own: 0, other: seconds, doubled: 0 });
  expect(new Set(one.map(({ device }) => device))).toEqual(new Set([first.device, second.device]));
});

test('a swap that is corrected the next morning: every question follows at once, and back again', async () => {
  const { gateway, first, second, nowMs } = await openSwap();
  await using house = gateway;
  const swapMs = nowMs - 15 * minuteMs;
  const fromMs = nowMs - 30 * minuteMs;
  await send(house, { fromMs, swapMs });
  await atRest(house, 40_000);
  // Nobody told of the swap: half of what each is said to have is the other's.
  const wrong = { own: seconds / 2, other: seconds / 2, doubled: 0 };
  expect(counts(await valuesOf(house, `encounter=${first.encounter}`, fromMs))).toEqual(wrong);
  const stay = await house.call<{ encounter: Encounter }>('GET', `/api/v1/encounters/${first.encounter}`);
  for (const { id } of [first, second])
    await correct(house, id, { endAtMs: swapMs, reason: 'they changed beds' });
  const begun: Association[] = [];
  for (const [stand, encounter] of [
    [first, second.encounter],
    [second, first.encounter],
  ] as const)
    begun.push(
      await house.call<Association>('POST', '/api/v1/associations', {
        device: stand.device,
        bed: stand.bed,
        encounter,
        beginAtMs: swapMs,
      }),
    );
  for (const whose of [`encounter=${first.encounter}`, `patient=${stay.encounter.patient}`])
    expect(counts(await valuesOf(house, whose, fromMs))).toEqual({ own: seconds, other: 0, doubled: 0 });
  expect(counts(await valuesOf(house, `encounter=${second.encounter}`, fromMs))).toEqual({
    own: 0,
    other: seconds,
    doubled: 0,
  });
  const figures = await house.call<{ items: { value: number; count: number }[] }>(
    'GET',
    `/api/v1/observations?encounter=${first.encounter}&metric=${HR}&every=10m&from=${fromMs}&to=${nowMs}`,
  );
  expect(new Set(figures.items.map(({ value }) => value))).toEqual(new Set([100]));
  // It was no swap after all: struck out and reopened, everything is as it was; over a restart too.
  for (const { id } of begun) await correct(house, id, { endAtMs: swapMs, reason: 'no swap' });
  for (const { id } of [first, second]) await correct(house, id, { reopen: true, reason: 'no swap' });
  expect(counts(await valuesOf(house, `encounter=${first.encounter}`, fromMs))).toEqual(wrong);
  await house.restart('SIGKILL');
  expect(counts(await valuesOf(house, `encounter=${first.encounter}`, fromMs))).toEqual(wrong);
  const { items } = await house.call<{ items: Association[] }>(
    'GET',
    `/api/v1/associations?device=${first.device}`,
  );
  expect(items.find(({ id }) => id === first.id)?.corrections).toHaveLength(3);
});
