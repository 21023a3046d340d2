import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { DeviceHealth } from '../../model/device.ts';
import { openGatewayProcess, until, type GatewayProcess } from '../house/gateway-process.ts';

const run = promisify(execFile);

interface Credentials {
  readonly clientId: string;
  readonly password: string;
}

/** mosquitto_pub: QoS 1 comes back only when the message was confirmed. */
async function publish(
  gateway: GatewayProcess,
  { clientId, password }: Credentials,
  topic: string,
  { text, qos = 1 }: { text: string; qos?: 0 | 1 },
): Promise<void> {
  const port = String(gateway.stage.mqttPort);
  const who = ['-i', clientId, '-u', clientId, '-P', password];
  await run(
    'mosquitto_pub',
    ['-h', '127.0.0.1', '-p', port, ...who, '-t', topic, '-q', String(qos), '-m', text],
    {
      timeout: 10_000,
    },
  );
}

/** The process ids of the gateway's children. */
const hostOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);

test("a ward's Bluetooth gateway publishes for two wearables; nothing is lost or doubled when the driver host is killed", async () => {
  await using gateway = await openGatewayProcess({
    devices: 1,
    hosts: 1,
    config: { host: { enabled: true } },
  });
  const register = (id: string, more: object): Promise<unknown> =>
    gateway.call('POST', '/api/v1/devices', { id, label: id, ward: 'bench', ...more });
  const topic = (mac: string): string => `home/OpenMQTTGateway/BTtoMQTT/${mac}`;
  const wearable = (mac: string, more: object = {}): object => ({
    driver: 'wearable-json',
    settings: { topics: [topic(mac)], sender: 'omg-1', ...more },
    periodMs: 60_000,
  });
  await register('omg-1', {});
  await register('band-1', wearable('A4C1380D1234'));
  await register('band-2', wearable('A4C1380D5678'));
  await expect(register('band-3', wearable('A4C1380D1234', { property: 'spo2' }))).rejects.toThrow(
    /already that of device band-1/,
  );
  const omg = await gateway.call<Credentials>('POST', '/api/v1/devices/omg-1/credentials', {});
  const fromMs = Date.now() - 60_000;
  const values = async (device: string): Promise<unknown[]> =>
    (await gateway.rows(device, fromMs, Date.now() + 60_000)).map(({ value }) => value);

  await publish(gateway, omg, topic('A4C1380D1234'), { text: '{"spo2":97}' });
  await publish(gateway, omg, topic('A4C1380D5678'), { text: '{"spo2":91}' });
  await until(
    'both wearables',
    20_000,
    async () => (await values('band-1')).length + (await values('band-2')).length === 2,
  );
  expect(await values('band-1')).toEqual([97]);
  expect(await values('band-2')).toEqual([91]);

  // Killed while messages come: what is confirmed meanwhile waits in the journal.
  process.kill(hostOf(gateway.pid), 'SIGKILL');
  for (const spo2 of [96, 95, 94]) {
    await publish(gateway, omg, topic('A4C1380D1234'), { text: `{"spo2":${spo2}}` });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  await until('what came meanwhile', 15_000, async () => (await values('band-1')).length >= 4).catch(
    async () =>
      console.log(
        JSON.stringify(await gateway.rows('band-1', fromMs, Date.now() + 60_000)),
        JSON.stringify(await gateway.call('GET', '/api/v1/devices/band-1/health')),
      ),
  );
  expect(await values('band-1')).toEqual([97, 96, 95, 94]);

  // A device of the contract is no wearable: it has no right to a topic it was not granted.
  await expect(publish(gateway, omg, topic('A4C1380D9999'), { text: '{"spo2":1}' })).rejects.toThrow();

  await publish(gateway, omg, topic('A4C1380D1234'), { text: '{"spo2":93}', qos: 0 });
  await until('the unconfirmed one', 20_000, async () => (await values('band-1')).length === 5);
  expect(await gateway.call<DeviceHealth>('GET', '/api/v1/devices/band-1/health')).toMatchObject({
    notConfirmed: true,
  });
});
