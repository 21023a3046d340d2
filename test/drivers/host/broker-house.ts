import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import type { HostConfig, HostState } from '../../../model/wire.ts';

export interface Heard {
  readonly topic: string;
  readonly message: Record<string, unknown>;
}

/** A bare MQTT broker in place of the gateway: it hears everything and can be away for a while. */
export interface BrokerHouse extends AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  readonly heard: Heard[];
  /** False: confirmations are withheld, as when the gateway's disk hangs. */
  confirm: boolean;
  configure(config: Omit<HostConfig, 'version' | 'maps'>): Promise<void>;
  request(message: object): void;
  away(): Promise<void>;
  back(): Promise<void>;
  startHost(): ChildProcess;
  readonly hostState: HostState | undefined;
  observations(device: string): Heard[];
  until(ready: () => boolean, withinMs?: number): Promise<void>;
}

export async function openBroker(): Promise<BrokerHouse> {
  const broker = await Aedes.createBroker();
  const folder = mkdtempSync(join(tmpdir(), 'vigil-host-'));
  const heard: Heard[] = [];
  const sockets = new Set<Socket>();
  const children: ChildProcess[] = [];
  let server: Server | undefined;
  let port = 0;

  const listen = (): Promise<void> =>
    new Promise((resolve) => {
      const made = createServer((socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
        broker.handle(socket);
      });
      server = made;
      made.listen(port, '127.0.0.1', () => {
        const bound = made.address();
        port = typeof bound === 'object' && bound ? bound.port : port;
        resolve();
      });
    });
  const away = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      if (server) server.close(() => resolve());
      else resolve();
      server = undefined;
    });
  await listen();

  broker.authorizePublish = (client, packet, done) => {
    if (client)
      heard.push({ topic: packet.topic, message: JSON.parse(packet.payload.toString()) as Heard['message'] });
    if (house.confirm) done(null);
  };

  const house: BrokerHouse = {
    get port() {
      return port;
    },
    folder,
    heard,
    confirm: true,
    configure: (config) =>
      new Promise((resolve, reject) => {
        const payload = Buffer.from(JSON.stringify({ version: 1, maps: {}, ...config }));
        const packet = {
          cmd: 'publish' as const,
          topic: 'v1/host/h1/config',
          payload,
          qos: 1 as const,
          retain: true,
          dup: false,
        };
        broker.publish(packet, (error) => (error ? reject(error) : resolve()));
      }),
    request: (message) => {
      const payload = Buffer.from(JSON.stringify(message));
      const packet = {
        cmd: 'publish' as const,
        topic: 'v1/host/h1/request',
        payload,
        qos: 1 as const,
        retain: false,
        dup: false,
      };
      broker.publish(packet, () => {});
    },
    away,
    back: listen,
    startHost: () => {
      const secret = join(folder, 'secret');
      writeFileSync(secret, 'secret\n');
      const main = new URL('../../../drivers/host/main.ts', import.meta.url).pathname;
      const args = ['--gateway', `mqtt://127.0.0.1:${port}`, '--host-id', 'h1', '--secret-file', secret];
      const child = spawn(process.execPath, [main, ...args, '--data', join(folder, 'data')], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      children.push(child);
      return child;
    },
    get hostState() {
      return heard.findLast(({ topic }) => topic === 'v1/host/h1/state')?.message as HostState | undefined;
    },
    observations: (device) => heard.filter(({ topic }) => topic === `v1/device/${device}/observations`),
    until: async (ready, withinMs = 15_000) => {
      const endMs = performance.now() + withinMs;
      while (!ready()) {
        if (performance.now() > endMs)
          throw new Error(`not seen in ${withinMs} ms; last ${JSON.stringify(heard.slice(-3))}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const child of children) child.kill('SIGKILL');
      await away();
      await new Promise<void>((resolve) => broker.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return house;
}

export interface Oximeter extends AsyncDisposable {
  readonly port: number;
  readonly sent: number;
  readonly connections: number;
}

/** A line every `periodMs`; pulse and perfusion count up together, so that each value tells which line it came from. */
export async function openOximeter(periodMs: number): Promise<Oximeter> {
  let sent = 0;
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  const timer = setInterval(() => {
    if (sockets.size === 0) return;
    const pulse = String(sent % 300).padStart(3, '0');
    const perfusion = String(Math.floor(sent / 300)).padStart(2, '0');
    sent += 1;
    for (const socket of sockets) {
      socket.write(
        `02/22/16 22:47:45 SN=0000056661 SPO2=098% BPM=${pulse} PI=${perfusion}.00% ALARM=0000 EXC=000800\r\n`,
      );
    }
  }, periodMs);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound ? bound.port : 0,
    get sent() {
      return sent;
    },
    get connections() {
      return connections;
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
