// Goal: a sink that is away costs disk, not memory: from the second million messages to the third nothing grows.
// Way: a gateway with a server that nobody answers for, three million messages, and after each million the heap of every
// thread after forced collections, and the open files.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { GeneratorOrder, GeneratorResult } from '../../bench/generator.ts';
import { ask, freePort } from '../../bench/peer.ts';
import { atRest, openGatewayProcess, until, type GatewayProcess } from '../house/gateway-process.ts';

const million = 1_000_000;
const mostGrowthBytes = 2 * 1024 * 1024;

interface Reading {
  readonly messages: number;
  readonly heapBytes: number;
  readonly files: number;
  readonly undelivered: number;
}

test('heap and open files stay from the second to the third million messages while a sink is away', async () => {
  const heapFile = join(tmpdir(), `vigil-heap-${process.pid}.json`);
  const probe = new URL('../house/heap-probe.ts', import.meta.url).href;
  await using gateway = await openGatewayProcess({
    devices: 100,
    hosts: 25,
    nodeArgs: ['--max-semi-space-size=8', '--expose-gc', '--import', probe],
    env: { VIGIL_HEAP_FILE: heapFile },
    config: {
      sinks: [
        { id: 'away', kind: 'influxdb-1', url: `http://127.0.0.1:${await freePort()}`, database: 'away' },
      ],
    },
  });
  const readings: Reading[] = [];
  let sent = 0;
  for (let run = 0; readings.length < 3; run++) {
    const order: GeneratorOrder = {
      port: gateway.stage.mqttPort,
      connections: gateway.stage.connections,
      load: { closed: 20 },
      seconds: 10,
      boot: `away-${run}`,
      firstSeq: 1_000_000_000,
    };
    const { confirmed } = await ask<GeneratorOrder, GeneratorResult>('./generator.ts', order);
    sent += confirmed;
    if (sent < million * (readings.length + 1)) continue;
    readings.push(await readingOf(gateway, heapFile, sent));
    console.log(`  ${JSON.stringify(readings.at(-1))}`);
  }
  const [, second, third] = readings;
  expect((third?.heapBytes ?? 0) - (second?.heapBytes ?? 0)).toBeLessThanOrEqual(mostGrowthBytes);
  expect(third?.files ?? 0).toBeLessThanOrEqual((second?.files ?? 0) + 2);
  expect(third?.undelivered ?? 0).toBeGreaterThan(second?.undelivered ?? 0);
}, 1_200_000);

async function readingOf(gateway: GatewayProcess, heapFile: string, messages: number): Promise<Reading> {
  await atRest(gateway, 120_000);
  rmSync(heapFile, { force: true });
  process.kill(gateway.pid, 'SIGUSR2');
  await until('the heap is told', 20_000, () => existsSync(heapFile));
  const heaps = JSON.parse(readFileSync(heapFile, 'utf8')) as Record<string, number>;
  const stage = join(gateway.stage.folder, 'data', 'journal');
  return {
    messages,
    heapBytes: Object.values(heaps).reduce((sum, bytes) => sum + bytes, 0),
    files: readdirSync(`/proc/${gateway.pid}/fd`).length,
    undelivered: readdirSync(stage).filter((file) => file.startsWith('numerics-')).length,
  };
}
