import { execFile } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import mqtt from 'mqtt';
import { openBroker, secret, type BrokerHouse } from '../broker/house.ts';

// Goal: the clients people use get through the front door with the right secret and are told no without it.

const run = (
  program: string,
  args: readonly string[],
): Promise<{ readonly code: number; readonly output: string }> =>
  new Promise((resolve, reject) => {
    execFile(program, [...args], { timeout: 30_000 }, (error, out, err) => {
      if (error && typeof error.code !== 'number') reject(new Error(`${program}: ${error.message}`));
      else resolve({ code: Number(error?.code ?? 0), output: out + err });
    });
  });

const own = 'v1/device/mon-1/observations';
const mosquittoPub = (house: BrokerHouse, password: string, ...rest: readonly string[]) =>
  run('mosquitto_pub', [
    ...['-h', '127.0.0.1', '-p', String(house.port), '-i', 'mon-1', '-u', 'mon-1', '-P', password],
    ...['-q', '1', ...rest],
  ]);

describe('mosquitto_pub', () => {
  test('publishes with the right secret', async () => {
    await using house = await openBroker();
    const { code, output } = await mosquittoPub(house, secret, '-t', own, '-m', '{"seq":1}');
    expect({ code, output }).toEqual({ code: 0, output: '' });
    expect(house.taken).toMatchObject([{ clientId: 'mon-1', payload: Buffer.from('{"seq":1}'), qos: 1 }]);
  });

  test('is told it is not authorised with a wrong one', async () => {
    await using house = await openBroker();
    const { code, output } = await mosquittoPub(house, 'wrong', '-t', own, '-m', '{"seq":1}');
    expect(code).not.toBe(0);
    expect(output).toMatch(/not authori[sz]ed/i);
    expect(house.taken).toEqual([]);
  });

  test("is cut off on another's branch", async () => {
    await using house = await openBroker();
    const { code } = await mosquittoPub(house, secret, '-t', 'v1/device/mon-2/state', '-m', '{}');
    expect(code).not.toBe(0);
    expect(house.taken).toEqual([]);
    expect(house.codes()).toContain('DOOR_NOT_ALLOWED');
  });

  test('is told that MQTT 5 is not spoken', async () => {
    await using house = await openBroker();
    const { code } = await mosquittoPub(house, secret, '-V', 'mqttv5', '-t', own, '-m', '{}');
    expect(code).not.toBe(0);
    expect(house.codes()).toContain('DOOR_PROTOCOL');
  });
});

// Debian's own: another python3 on the PATH does not see Debian's packages.
const debianPython = '/usr/bin/python3';
const paho = `
import sys
import paho.mqtt.client as mqtt
port, secret, topic = int(sys.argv[1]), sys.argv[2], sys.argv[3]
try:
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION1, client_id='mon-1')
except AttributeError:
    client = mqtt.Client(client_id='mon-1')
client.username_pw_set('mon-1', secret)
client.will_set('v1/device/mon-1/state', '{"link":"death"}', qos=1)
outcome = {'rc': None, 'acked': 0}
def on_connect(client, data, flags, rc):
    outcome['rc'] = rc
    if rc != 0:
        client.disconnect()
        return
    for n in range(100):
        client.publish(topic, '{"seq":%d}' % n, qos=1)
def on_publish(client, data, mid):
    outcome['acked'] += 1
    if outcome['acked'] == 100:
        client.disconnect()
client.on_connect, client.on_publish = on_connect, on_publish
client.connect('127.0.0.1', port)
client.loop_forever(retry_first_connection=False)
print(outcome['rc'], outcome['acked'])
`;

describe('python3-paho', () => {
  test('gets all of 100 publications confirmed, in order', async () => {
    await using house = await openBroker();
    const { output } = await run(debianPython, ['-c', paho, String(house.port), secret, own]);
    expect(output.trim()).toBe('0 100');
    expect(house.taken.map(({ payload }) => JSON.parse(payload.toString()).seq)).toEqual(
      Array.from({ length: 100 }, (_, n) => n),
    );
    await expect.poll(() => house.presence).toEqual(['+mon-1', '-mon-1']);
  });

  test('is refused with a wrong secret', async () => {
    await using house = await openBroker();
    const { output } = await run(debianPython, ['-c', paho, String(house.port), 'wrong', own]);
    expect(output.trim()).toBe('5 0');
    expect(house.taken).toEqual([]);
  });
});

describe('mqtt.js', () => {
  test('as a driver host: publishes for its devices and receives what is for it', async () => {
    await using house = await openBroker();
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${house.port}`, {
      clientId: 'host-1',
      username: 'host-1',
      password: secret,
      reconnectPeriod: 0,
    });
    const received = new Promise<string>((resolve) =>
      client.on('message', (topic, body) => resolve(`${topic} ${body}`)),
    );
    const granted = await client.subscribeAsync('v1/host/host-1/config', { qos: 2 });
    expect(granted).toMatchObject([{ qos: 1 }]);
    house.broker.publish('v1/host/host-1/config', Buffer.from('{"revision":1}'));
    expect(await received).toBe('v1/host/host-1/config {"revision":1}');
    await client.publishAsync('v1/device/vent-1/observations', '{}', { qos: 1 });
    expect(house.taken).toHaveLength(1);
    await client.endAsync();
  });
});
