// Goal: a reader that does not read harms nobody (DESIGN promise 7): its export waits where it is, at the cost of a
// piece or two in memory. Way: a day of one heart in a real gateway; eight readers ask for all of it as NDJSON and stop
// after the first bytes. One of them then reads on, to the end.
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { atRest, openGatewayProcess, until, type GatewayProcess } from '../house/gateway-process.ts';

const day = 86_400;
const readers = 8;
const atOnce = 256;

async function deliverDay(gateway: GatewayProcess, fromMs: number): Promise<void> {
  const [host] = gateway.clients();
  if (!host) throw new Error('there is no host');
  const boot = 'b7f39e01c4d2a6f8';
  await host.connect();
  await host.ask(
    'v1/device/device-0/state',
    JSON.stringify({ boot, seq: 0, link: 'birth', clockMs: Date.now() }),
  );
  for (let first = 0; first < day; first += atOnce) {
    const messages = Array.from({ length: Math.min(atOnce, day - first) }, (_, index) => ({
      boot,
      seq: first + index + 1,
      takenAtMs: fromMs + (first + index) * 1_000,
      historical: true,
      values: { MDC_ECG_HEART_RATE: 60 + ((first + index) % 40) },
    }));
    await host.ask('v1/device/device-0/observations', JSON.stringify(messages));
  }
  await atRest(gateway, 60_000);
  host.end();
}

/** Memory the system has given to the gateway, bytes. */
const residentOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024;

test('eight readers that stop after the first bytes cost the gateway next to nothing, and one goes on to the end', async () => {
  await using gateway = await openGatewayProcess({ devices: 1, hosts: 1 });
  const toMs = Date.now();
  const fromMs = toMs - day * 1_000;
  await deliverDay(gateway, fromMs);
  const cookie = await gateway.stage.signIn();
  const path = `/api/v1/observations?device=device-0&from=${fromMs}&to=${toMs}`;
  const ask = (): { socket: Socket; bytes: () => number } => {
    const socket = connect({ port: Number(new URL(gateway.stage.httpUrl).port), host: '127.0.0.1' });
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => void (bytes += chunk.length));
    socket.on('error', () => socket.destroy());
    const head = [`GET ${path} HTTP/1.1`, 'host: x', `cookie: ${cookie}`, 'accept: application/x-ndjson'];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    return { socket, bytes: () => bytes };
  };
  // The first reads all of it, so that what a whole answer costs in passing is behind us.
  const whole = await (
    await fetch(`${gateway.stage.httpUrl}${path}`, { headers: { cookie, accept: 'application/x-ndjson' } })
  ).text();
  expect(whole.trimEnd().split('\n')).toHaveLength(day);
  const before = residentOf(gateway.pid);

  const stalled = Array.from({ length: readers }, ask);
  for (const { socket, bytes } of stalled) {
    await until('the first bytes', 20_000, () => bytes() > 0);
    socket.pause();
  }
  for (let beat = 0; beat < 20; beat++) {
    // The host has gone, which is its own matter; what answers readers is well.
    const { parts } = await gateway.health();
    expect(parts.filter(({ part, status }) => part === 'historian' && status !== 'green')).toEqual([]);
    await gateway.alarms();
  }
  const grownBytes = residentOf(gateway.pid) - before;
  console.log(`${readers} stalled readers of ${whole.length} bytes each: ${grownBytes} bytes more`);
  // All of it in memory would be eight times a day's text; a piece and what the sockets hold is a tenth of that.
  expect(grownBytes).toBeLessThan((readers * whole.length) / 2);

  const [one, ...others] = stalled;
  one?.socket.resume();
  await until('all of it', 60_000, () => (one?.bytes() ?? 0) > whole.length);
  for (const { socket } of [...(one ? [one] : []), ...others]) socket.destroy();
  await gateway.alarms();
});
