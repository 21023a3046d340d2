// Goal: a wave comes from the wire to the store whole, live to who draws it, and never in an alarm's way.
// Way: a whole gateway in its own process; a monitor on UDP behind the real driver host, senders by hand, real sockets.
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { Alarm } from '../../model/alarm.ts';
import type { Encounter } from '../../model/census.ts';
import { readWaveFrame, type WaveFrame } from '../../model/wave-frame.ts';
import * as made from '../drivers/intellivue-frames.ts';
import { openUdpMonitor } from '../drivers/intellivue-monitor.ts';
import type { DoorClient } from '../house/door-client.ts';
import { imbalance, openGatewayProcess, until, type GatewayProcess } from '../house/gateway-process.ts';

const ecg = 'MDC_ECG_ELEC_POTL_II';
const pleth = 'MDC_PULS_OXIM_PLETH';
const heart = 'MDC_ECG_HEART_RATE';
let gateway: GatewayProcess;

interface Answer {
  readonly items: {
    readonly device: string;
    readonly metric: string;
    readonly patient?: string;
    readonly runs: {
      readonly fromMs: number;
      readonly periodUs: number;
      readonly values: (number | null)[];
    }[];
    readonly min?: (number | null)[];
  }[];
}

beforeAll(async () => {
  gateway = await openGatewayProcess({ devices: 6, hosts: 2, config: { host: { enabled: true } } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

async function openClient(at = 0): Promise<DoorClient> {
  const client = gateway.clients()[at];
  if (!client) throw new Error(`no host ${at}`);
  await client.connect();
  client.speakAsHost();
  return client;
}

/** A quarter of a second at 100 Hz whose samples say their place in the wave. */
const block = (boot: string, seq: number, beginMs: number) => ({
  boot,
  seq,
  metric: ecg,
  takenAtMs: beginMs + seq * 250,
  periodUs: 10_000,
  gain: 1,
  offset: 0,
  samples: Buffer.from(Int16Array.from({ length: 25 }, (_, at) => (seq * 25 + at) % 30_000).buffer).toString(
    'base64',
  ),
});

const asked = (device: string, fromMs: number, toMs: number, more = ''): string =>
  `/api/v1/waveforms?device=${device}&from=${Math.floor(fromMs)}&to=${Math.ceil(toMs)}${more}`;

/** Every sample of a wave in order, as its values; a gap longer than 10 s is its own null. */
const valuesOf = ({ items }: Answer): (number | null)[] =>
  items.flatMap(({ runs }) => runs.flatMap(({ values }, at) => (at === 0 ? values : [null, ...values])));

test('from a monitor on its wire through driver, host, broker and journal into the store', async () => {
  await using monitor = await openUdpMonitor();
  const settings = { peer: { address: '127.0.0.1', port: monitor.port }, waves: true };
  const device = { id: 'philips-1', label: 'Monitor', ward: 'bench', driver: 'philips-intellivue', settings };
  await gateway.call('POST', '/api/v1/devices', device);
  await gateway.call('POST', '/api/v1/beds', { id: 'bed-wave', ward: 'bench', label: 'W' });
  const patient = { birthDate: '1960-01-01' };
  const stay = { ward: 'bench', bed: 'bed-wave', patient };
  const { encounter } = await gateway.call<{ encounter: Encounter }>('POST', '/api/v1/encounters', stay);
  await gateway.call('POST', '/api/v1/associations', {
    device: 'philips-1',
    bed: 'bed-wave',
    encounter: encounter.id,
  });
  await until('the waves are polled', 30_000, () => monitor.count('wave') > 0);
  const form = {
    0x096d: Buffer.concat([made.u16(4), Buffer.from([16, 12]), made.u16(0)]),
    0x098d: made.u32(64),
  };
  const startMs = Date.now();
  // 32 samples at 125 Hz: 256 ms each, as the monitor's own ticks of an eighth of a millisecond say.
  for (let at = 0; at < 8; at++) {
    const samples = Array.from({ length: 32 }, (_, index) => 1 + at * 32 + index);
    const wave = { 0x096e: Buffer.concat([made.u16(0x4bb4, 0), made.sized(made.u16(...samples))]) };
    const object = made.object(9, at === 0 ? { ...form, ...wave } : wave);
    monitor.send(made.pollResult([object], { objectClass: 9, ticks: 80_000 + at * 2_048 }));
    await new Promise((resolve) => setTimeout(resolve, 256));
  }
  const answer = await until('the wave is in the store', 20_000, async () => {
    const found = await gateway.call<Answer>(
      'GET',
      `/api/v1/waveforms?patient=${encounter.patient}&metric=${pleth}&from=${startMs - 5_000}&to=${Date.now()}`,
    );
    return valuesOf(found).length >= 8 * 32 ? found : undefined;
  });
  expect(answer.items).toMatchObject([{ device: 'philips-1', metric: pleth, patient: encounter.patient }]);
  expect(answer.items[0]?.runs[0]?.periodUs).toBe(8_000);
  expect(valuesOf(answer)).toEqual(Array.from({ length: 256 }, (_, at) => 1 + at));
});

test('what cannot be drawn is quarantined, what comes twice counted, a late block finds its place', async () => {
  const client = await openClient();
  const before = (await gateway.health()).counters;
  const beginMs = Date.now() - 5_000;
  const topic = 'v1/device/device-0/waveforms';
  for (const seq of [1, 0, 3, 3, 2]) await client.ask(topic, JSON.stringify(block('late', seq, beginMs)));
  const good = block('late', 9, beginMs);
  for (const bad of [
    { periodUs: 1 },
    { gain: 0 },
    { samples: 'AQ==' },
    { samples: '§§' },
    { samples: '' },
    { metric: 'a/b' },
  ])
    await client.ask(topic, JSON.stringify({ ...good, ...bad }));
  await until('all of it is found', 10_000, async () => {
    const found = await gateway.call<Answer>('GET', asked('device-0', beginMs, Date.now()));
    return valuesOf(found).length === 100 && valuesOf(found).every((value, at) => value === at);
  });
  const { counters } = await gateway.health();
  expect(counters.quarantined - before.quarantined).toBe(6);
  expect(counters.duplicate - before.duplicate).toBe(1);
  expect(imbalance(counters)).toBe(0);
  client.end();
});

test('a clock that is wrong is corrected by what the device told at its birth', async () => {
  const client = await openClient();
  const offMs = 3 * 3_600_000;
  const beginMs = Date.now();
  const state = { boot: 'clock', seq: 2, link: 'birth', clockMs: beginMs - offMs };
  await client.ask('v1/device/device-2/state', JSON.stringify(state));
  const sent = block('clock', 0, beginMs - offMs);
  await client.ask('v1/device/device-2/waveforms', JSON.stringify(sent));
  const found = await until('it is found in our time', 10_000, async () => {
    const answer = await gateway.call<Answer>('GET', asked('device-2', beginMs - 2_000, beginMs + 2_000));
    return answer.items.length > 0 && answer;
  });
  expect(Math.abs((found.items[0]?.runs[0]?.fromMs ?? 0) - beginMs)).toBeLessThan(1_000);
  client.end();
});

interface Screen {
  readonly socket: WebSocket;
  readonly frames: WaveFrame[];
  readonly alarms: { readonly alarm: Alarm; readonly atMs: number }[];
}

async function openScreen(first: object): Promise<Screen> {
  const cookie = await gateway.stage.signIn();
  const { httpUrl } = gateway.stage;
  const socket = new WebSocket(`${httpUrl.replace(/^http/, 'ws')}/api/v1/stream`, {
    headers: { cookie, origin: httpUrl },
  });
  const frames: WaveFrame[] = [];
  const alarms: { alarm: Alarm; atMs: number }[] = [];
  socket.on('error', () => socket.terminate());
  socket.on('message', (data: Buffer, binary: boolean) => {
    if (binary) {
      const frame = readWaveFrame(data);
      if (frame) frames.push(frame);
      return;
    }
    const said = JSON.parse(data.toString()) as { alarm?: Alarm };
    if (said.alarm) alarms.push({ alarm: said.alarm, atMs: performance.now() });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('close', () => reject(new Error('the stream was closed')));
    socket.once('open', () => socket.send(JSON.stringify(first)));
    socket.once('message', () => resolve());
  });
  return { socket, frames, alarms };
}

test(
  'a reader that stalls misses waves; its alarms, and everybody else, do not wait',
  { timeout: 60_000 },
  async () => {
    const client = await openClient(1);
    const beds = ['bed-1', 'bed-3'];
    const waves = beds.map((bed) => ({ bed, metrics: [ecg] }));
    const good = await openScreen({ watch: { beds }, waves });
    const stalled = await openScreen({ watch: { beds }, waves });
    const quiet = await openScreen({ watch: { beds: ['bed-1'] } });
    stalled.socket.pause();
    // 60 kB a block, until the buffers on the way hold no more.
    const samples = Buffer.alloc(2 * 30_000, 7).toString('base64');
    const beginMs = Date.now();
    let going = true;
    let sent = 0;
    const flood = (async () => {
      for (let seq = 0; going; seq++) {
        const wave = { ...block('flood', seq, beginMs), periodUs: 1_000, takenAtMs: Date.now(), samples };
        await Promise.all(
          ['device-1', 'device-3'].map((device) =>
            client.ask(`v1/device/${device}/waveforms`, JSON.stringify(wave)),
          ),
        );
        sent += 2;
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
    })();
    const dropped = async (): Promise<number> => {
      const metrics = await (await fetch(`${gateway.stage.httpUrl}/metrics`)).text();
      return Number(/^vigil_stream_waves_dropped (\d+)$/m.exec(metrics)?.[1]);
    };
    await until('the one that sleeps has no room', 40_000, async () => (await dropped()) >= 10);
    const rang = performance.now();
    const loud = { boot: 'loud', seq: 1, values: { [heart]: 200 } };
    await client.ask('v1/device/device-1/observations', JSON.stringify(loud));
    await until('the alarm is on the screen that reads', 2_000, () =>
      good.alarms.find(({ alarm }) => alarm.bed === 'bed-1'),
    );
    expect(performance.now() - rang).toBeLessThan(2_000);
    // It reads again before it is given up: the alarm is there, the waves of meanwhile are not.
    stalled.socket.resume();
    await until('the alarm reached the one that slept', 5_000, () =>
      stalled.alarms.find(({ alarm }) => alarm.bed === 'bed-1'),
    );
    going = false;
    await flood;
    expect(good.frames.length).toBeGreaterThan(0);
    for (const { bed, blocks } of good.frames)
      for (const { device, metric } of blocks)
        expect([device, metric]).toEqual([bed.replace('bed', 'device'), ecg]);
    const drawn = ({ frames }: Screen): number => frames.reduce((sum, { blocks }) => sum + blocks.length, 0);
    expect(drawn(stalled)).toBeLessThan(sent);
    expect(quiet.frames).toEqual([]);
    for (const { socket } of [good, stalled, quiet]) socket.terminate();
    client.end();
  },
);

test('the strip of an alarm is asked by the alarm', async () => {
  const client = await openClient(1);
  // All of it taken before it is sent: nobody's clock runs ahead.
  const beginMs = Date.now() - 24_000;
  const publish = (seq: number) =>
    client.ask('v1/device/device-5/waveforms', JSON.stringify(block('strip', seq, beginMs)));
  for (let seq = 0; seq < 80; seq++) await publish(seq);
  const loud = { boot: 'strip-loud', seq: 1, values: { [heart]: 200 } };
  await client.ask('v1/device/device-5/observations', JSON.stringify(loud));
  const alarm = await until('it rings', 5_000, async () =>
    (await gateway.alarms()).find(({ bed, kind }) => bed === 'bed-5' && kind === 'physiological'),
  );
  for (let seq = 80; seq < 90; seq++) await publish(seq);
  const strip = await until('the strip is there', 10_000, async () => {
    const found = await gateway
      .call<Answer & { fromMs: number; toMs: number; bed: string }>(
        'GET',
        `/api/v1/alarms/${alarm.id}/strips`,
      )
      .catch(() => undefined);
    return found && valuesOf(found).length > 1_700 && found;
  });
  expect([strip.bed, strip.toMs - strip.fromMs]).toEqual(['bed-5', 30_000]);
  expect(strip.fromMs).toBe(alarm.raisedAtMs - 20_000);
  const values = valuesOf(strip).filter((value) => value !== null);
  expect(values.every((value, at) => at === 0 || value === (values[at - 1] ?? 0) + 1)).toBe(true);
  client.end();
});
