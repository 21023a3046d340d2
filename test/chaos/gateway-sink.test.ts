import { expect, test } from 'vitest';
import { startInfluxd } from '../../bench/time-series-servers.ts';
import { openGatewayProcess, until } from '../house/gateway-process.ts';
import { query } from './time-series-oracle.ts';

// The whole gateway, killed while it owes InfluxDB observations, and InfluxDB killed beside it.

const metric = 'MDC_ECG_HEART_RATE';

test('what devices were confirmed is in InfluxDB once, whichever of the two is killed', async () => {
  await using server = await startInfluxd();
  await query(server, 'CREATE DATABASE vigil');
  const sink = { id: 'influx', kind: 'influxdb-1', url: server.url, database: 'vigil', retryMaxMs: 500 };
  await using gateway = await openGatewayProcess({ devices: 4, hosts: 1, config: { sinks: [sink] } });
  const sent = new Map<string, number[]>();
  let seq = 0;
  const send = async (count: number): Promise<void> => {
    const [client] = gateway.clients();
    await client?.connect();
    for (let at = 0; at < count; at++) {
      const device = `device-${at % 4}`;
      const message = {
        boot: 'b7f39e01c4d2a6f8',
        seq: ++seq,
        takenAtMs: Date.now(),
        values: { [metric]: 60 + (seq % 50) },
      };
      await client?.ask(`v1/device/${device}/observations`, JSON.stringify(message));
      sent.set(device, [...(sent.get(device) ?? []), seq]);
    }
  };
  await send(200);
  await server.stop('SIGKILL');
  await send(200);
  await gateway.restart('SIGKILL');
  await send(200);
  await server.start();
  await until(
    'some are stored',
    20_000,
    async () => (await query(server, 'SELECT count("seq") FROM "vigil"')).length > 0,
  );
  await gateway.restart('SIGKILL');
  await send(200);
  await until('nothing is owed', 30_000, async () => {
    const { items } = await gateway.call<{
      items: { undeliveredBatches: number; lagMs: number; stored: number }[];
    }>('GET', '/api/v1/sinks');
    return items[0]?.undeliveredBatches === 0 && items[0].stored > 0;
  });
  for (const [device, numbers] of sent) {
    const rows = await query(server, `SELECT "seq", "value" FROM "vigil" WHERE "device" = '${device}'`);
    expect(rows.map(([, number]) => number)).toEqual(numbers);
    expect(rows.filter(([, number, value]) => value !== 60 + (Number(number) % 50))).toEqual([]);
  }
  expect((await gateway.health()).parts.find(({ part }) => part === 'sink influx')).toMatchObject({
    status: 'green',
  });
  const metrics = await (await fetch(`${gateway.stage.httpUrl}/metrics`)).text();
  expect(metrics).toMatch(/vigil_sink_delivering\{sink="influx"\} 1/);
});
