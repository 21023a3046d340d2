/**
 * Connected handhelds, one process for all: each on its person's shift, beating every 2 s, taking deliveries in and
 * confirming them as a screen does. Told by its parent: {url, origin, handhelds}; says {ready} when all can ring, and on
 * {stop} answers what was shown where and when, on the machine's monotonic clock.
 */
import { hrtime, cpuUsage } from 'node:process';
import WebSocket from 'ws';

export interface HandheldsOrder {
  readonly url: string;
  readonly handhelds: readonly {
    readonly cookie: string;
    readonly shift: string;
    readonly beds: readonly string[];
  }[];
}
export interface Shown {
  readonly bed: string;
  readonly alarm: string;
  readonly atMs: number;
}
export interface HandheldsResult {
  readonly shown: readonly Shown[];
  /** Deliveries whose alarm is of a bed the handheld does not have. */
  readonly foreign: number;
  readonly closed: number;
  readonly cpuShare: number;
}

const nowMs = (): number => Number(hrtime.bigint()) / 1e6;
const shown: Shown[] = [];
const seen = new Set<string>();
let foreign = 0;
let closed = 0;

interface Delivery {
  readonly number: number;
  readonly sound: string;
  readonly alarm: { readonly id: string; readonly bed?: string; readonly kind: string };
}

function open(order: HandheldsOrder, at: number): Promise<void> {
  const one = order.handhelds[at];
  if (!one) return Promise.resolve();
  const beds = new Set(one.beds);
  const socket = new WebSocket(order.url, {
    headers: { cookie: one.cookie },
    // One address may hold 256 connections: each handheld has its own, as on a ward.
    localAddress: `127.0.${1 + Math.floor(at / 200)}.${1 + (at % 200)}`,
  });
  const say = (frame: object): void => socket.send(JSON.stringify(frame));
  const beat = (): void =>
    say({ beat: { visible: true, wakeLock: true, audio: true, battery: 1, nowMs: Date.now() } });
  socket.on('close', () => (closed += 1));
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => {
      say({ watch: { beds: one.beds } });
      say({ handheld: { shift: one.shift } });
      beat();
      setTimeout(() => setInterval(beat, 2_000), 10 * (at % 200));
    });
    socket.on('message', (data: Buffer) => {
      const first = data.toString('latin1', 0, 14);
      if (first === '{"recipient":{') {
        if (data.includes('"canRing":true')) resolve();
        return;
      }
      if (first !== '{"deliveries":') return;
      const { deliveries } = JSON.parse(data.toString()) as { deliveries: Delivery[] };
      const atMs = nowMs();
      const numbers = deliveries.map((delivery) => delivery.number);
      say({ received: numbers });
      say({ shown: numbers });
      for (const { sound, alarm } of deliveries) {
        if (sound === 'none' || alarm.kind !== 'physiological' || alarm.bed === undefined) continue;
        if (!beds.has(alarm.bed)) foreign += 1;
        if (seen.has(alarm.id)) continue;
        seen.add(alarm.id);
        shown.push({ bed: alarm.bed, alarm: alarm.id, atMs });
      }
    });
  });
}

let cpu = cpuUsage();
let startedMs = nowMs();

process.on('message', (order: HandheldsOrder | { stop: true }) => {
  if ('stop' in order) {
    const used = cpuUsage(cpu);
    const cpuShare = (used.user + used.system) / 1e3 / (nowMs() - startedMs);
    const result: HandheldsResult = { shown, foreign, closed, cpuShare };
    process.send?.({ result }, () => process.exit(0));
    return;
  }
  const all = order.handhelds.map((_, at) => open(order, at));
  Promise.all(all).then(
    () => {
      cpu = cpuUsage();
      startedMs = nowMs();
      process.send?.({ ready: true });
    },
    (error: unknown) => process.send?.({ failed: String(error) }, () => process.exit(1)),
  );
});
