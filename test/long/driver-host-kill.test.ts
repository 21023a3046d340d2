// Goal: a driver host that is killed between its journal and the gateway's PUBACK loses nothing it had read a moment
// before, and nothing it sends again is kept twice — also while the gateway is killed beside it.
// Way: an oximeter on TCP whose every line carries its number, the real host program, the real gateway, kill -9.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { seededChance } from '../../simulators/chance.ts';
import { openOximeter } from '../drivers/host/broker-house.ts';
import { openGatewayProcess, until, type GatewayProcess } from '../house/gateway-process.ts';

const rounds = 10;
const lineEveryMs = 25;
/** What was on the wire so shortly before the kill may have died with the process. */
const inFlightMs = 500;

interface Kill {
  /** Number of the newest line on the wire at the kill, and of one sent a moment before it. */
  readonly line: number;
  readonly sureLine: number;
}

test('ten kills of the driver host, some of them with the gateway away: each line once, none lost', async () => {
  const seed = Number(process.env['VIGIL_SEED'] ?? Date.now() % 1_000_000);
  console.log(`driver host kill rounds: seed ${seed}`);
  const chance = seededChance(seed);
  const startedAtMs = Date.now();
  const folder = mkdtempSync(join(tmpdir(), 'vigil-host-kill-'));
  await using oximeter = await openOximeter(lineEveryMs);
  await using gateway = await openGatewayProcess({ devices: 1, hosts: 1 });
  const settings = { port: `tcp://127.0.0.1:${oximeter.port}` };
  await gateway.call('PATCH', '/api/v1/devices/device-0', { settings });
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  let host = startHost(gateway, folder);
  const kills: Kill[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      await until('the host at the oximeter', 20_000, () => oximeter.connections >= round);
      const afterMs = 1_000 + Math.floor(chance.fraction() * 2_500);
      await wait(afterMs);
      // In every third round the gateway dies first: the host's journal then holds what nobody has confirmed.
      const alone = round % 3 !== 0;
      if (!alone) {
        await gateway.stage.stop('SIGKILL');
        await wait(500 + Math.floor(chance.fraction() * 1_500));
      }
      const sure = oximeter.sent - Math.ceil(inFlightMs / lineEveryMs);
      kills.push({ line: oximeter.sent, sureLine: sure });
      host.kill('SIGKILL');
      await once(host, 'exit');
      console.log(
        `  round ${round}: killed after ${afterMs} ms at line ${oximeter.sent}${alone ? '' : ', the gateway away'}`,
      );
      if (!alone) await gateway.restart('SIGKILL');
      host = startHost(gateway, folder);
    }
    const newest = oximeter.sent;
    await until('lines after the last start', 20_000, () => oximeter.sent > newest + 40);
    await wait(1_000);
    const last = oximeter.sent - Math.ceil(inFlightMs / lineEveryMs);
    await until('the newest line to be stored', 20_000, async () =>
      (await linesOf(gateway, startedAtMs)).some((line) => line >= last),
    );
    const lines = await linesOf(gateway, startedAtMs);
    const distinct = new Set(lines);
    const lost: number[] = [];
    for (let line = lines[0] ?? 0; line <= last; line++) {
      // Between a moment before a kill and the kill itself a line may have died with the process that read it.
      const excused = kills.some((kill) => line > kill.sureLine && line <= kill.line + 4);
      if (!distinct.has(line) && !excused) lost.push(line);
    }
    console.log(`  ${oximeter.sent} lines on the wire, ${distinct.size} stored`);
    expect(lines.length - distinct.size, 'stored twice').toBe(0);
    expect(lost).toEqual([]);
  } finally {
    host.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});

function startHost(gateway: GatewayProcess, folder: string): ChildProcess {
  const [connection] = gateway.stage.connections;
  const secret = join(folder, 'secret');
  writeFileSync(secret, connection?.password ?? '');
  const program = fileURLToPath(new URL('../../drivers/host/main.ts', import.meta.url));
  const url = `mqtt://127.0.0.1:${gateway.stage.mqttPort}`;
  const args = ['--gateway', url, '--host-id', connection?.clientId ?? '', '--secret-file', secret];
  return spawn(process.execPath, [program, ...args, '--data', join(folder, 'data')], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
}

/** Numbers of the stored lines, a number for each row: pulse and perfusion count up together. */
async function linesOf(gateway: GatewayProcess, fromMs: number): Promise<number[]> {
  const rows = await gateway.rows('device-0', fromMs - 1_000, Date.now() + 60_000);
  const perfusion = new Map<string, number>();
  for (const row of rows) {
    if (row.metric === 'MDC_BLD_PERF_INDEX') perfusion.set(`${row.boot} ${row.seq}`, row.value ?? 0);
  }
  return rows
    .filter((row) => row.metric === 'MDC_PULS_OXIM_PULS_RATE')
    .map((row) => (perfusion.get(`${row.boot} ${row.seq}`) ?? 0) * 300 + (row.value ?? 0))
    .toSorted((a, b) => a - b);
}
