import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openGateway } from '../gateway/compose.ts';
import { defaultConfig } from '../gateway/config/config.ts';
import { createLog } from '../gateway/log.ts';
import { systemClock } from '../model/clock.ts';
import { systemChance } from '../model/ids.ts';
import { makePeople, setUpBeds, startWard } from './demo/stage.ts';

const usage = `Usage: npm run demo -- [--port 8080] [--mqtt-port 1883] [--speed 1] [--seed 1] [--data DIR]

A ward of eight beds on recorded patients, each over a real wire, on this machine only (127.0.0.1). Nothing is kept
after it ends unless --data names a folder. Port 0 takes any free one.`;

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { port: text, 'mqtt-port': text, speed: text, seed: text, data: text, help: { type: 'boolean' } },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const number = (given: string | undefined, usual: number): number => {
  const read = given === undefined ? usual : Number(given);
  if (Number.isFinite(read) && read >= 0) return read;
  console.error(`${given} is no number\n\n${usage}`);
  process.exit(2);
};

const folder = values.data ?? mkdtempSync(join(tmpdir(), 'vigil-demo-'));
const config = defaultConfig();
config.data = join(folder, 'gateway');
config.http.port = number(values.port, 8080);
config.mqtt.port = number(values['mqtt-port'], 1883);
config.log.level = 'warn';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const chance = systemChance();
const gateway = await openGateway({
  config,
  clock: systemClock(),
  chance,
  log: createLog(config.log.level),
  demo: true,
  version,
});
const ward = await startWard({
  folder: join(folder, 'ward'),
  seed: number(values.seed, 1),
  speed: number(values.speed, 1),
});
const signIns = await makePeople(gateway, chance);
await setUpBeds(gateway, ward);

console.log(`
Vigil DEMO: eight beds, recorded patients, nothing real. Not for patient care.

  Ward page   ${gateway.httpUrl}/ward
  API         ${gateway.httpUrl}/api/docs
  MQTT        ${gateway.mqttUrl}

  Sign in as  ${signIns.map(({ user, password }) => `${user.padEnd(18)}${password}`).join('\n              ')}

Bed 03's heart rate is above 120 from 35 s on: its alarm rings within a minute. Data: ${folder}
Ctrl-C ends it.
`);

let leaving = false;
const leave = async (): Promise<void> => {
  if (leaving) return;
  leaving = true;
  await ward.close();
  await gateway.close();
  if (values.data === undefined) rmSync(folder, { recursive: true, force: true });
  process.exit(0);
};
process.on('SIGTERM', () => void leave());
process.on('SIGINT', () => void leave());
