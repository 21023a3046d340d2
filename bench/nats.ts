/** nats-server with MQTT: its QoS 1 goes to JetStream's files before the PUBACK, so it is the durable peer. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { ended, freePort, pauseMs } from './peer.ts';

const program = 'nats-server';
const startsWithinMs = 10_000;

export interface NatsPeer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Undefined when it is not installed. One subscriber takes and confirms each message (QoS 1), as something behind the
 * broker must: without any it would keep none. Where its version can be told to sync each write, it is.
 */
export async function startNats(): Promise<NatsPeer | undefined> {
  if (spawnSync(program, ['--version']).error) {
    console.log('nats-server is not installed: not compared');
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'vigil-bench-nats-'));
  const [port, own] = [await freePort(), await freePort()];
  const file = join(folder, 'nats.conf');
  const config = (sync: string): string =>
    `server_name: bench\nlisten: 127.0.0.1:${own}\njetstream { store_dir: "${join(folder, 'js')}"${sync} }\n` +
    `mqtt { listen: "127.0.0.1:${port}" }\n`;
  // From 2.10 on; before, it leaves syncing to the system for two minutes, which is in its favour.
  writeFileSync(file, config(', sync_interval: always'));
  const syncs = spawnSync(program, ['-t', '-c', file]).status === 0;
  if (!syncs) writeFileSync(file, config(''));
  console.log(`nats-server ${syncs ? 'syncs each write' : 'does not sync each write: this version cannot'}`);
  const child = spawn(program, ['-c', file], { stdio: 'ignore' });
  let subscriber: MqttClient | undefined;
  const close = async (): Promise<void> => {
    subscriber?.end(true);
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    subscriber = await subscribe(port);
  } catch (error) {
    await close();
    throw error;
  }
  return { port, close };
}

async function subscribe(port: number): Promise<MqttClient> {
  for (const until = performance.now() + startsWithinMs; ;) {
    try {
      const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
        clientId: 'bench-behind',
        clean: false,
        reconnectPeriod: 0,
        connectTimeout: 1_000,
      });
      await client.subscribeAsync('v1/#', { qos: 1 });
      return client;
    } catch (error) {
      if (performance.now() > until) throw error;
      await pauseMs(200);
    }
  }
}
