import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../model/clock.ts';
import { Fault } from '../model/fault.ts';
import { systemChance } from '../model/ids.ts';
import { openGateway } from './compose.ts';
import { formatErrors, readConfig } from './config/config.ts';
import { createLog } from './log.ts';
import { startFault } from './start-fault.ts';
import { StartRoom } from './start-room.ts';

const usage = `Usage: npm start -- [--config vigil.yaml]

Starts the gateway. Without --config it reads vigil.yaml in this folder, if there is one; docs/operating.md lists
every setting. Data go to ./data unless the configuration says otherwise.`;

const layDownEveryMs = 60_000;

/** Reads arguments and configuration; a person's error is told whole and ends with 2. */
function prepare() {
  const { values } = parseArgs({ options: { config: { type: 'string' }, help: { type: 'boolean' } } });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const file = values.config ?? 'vigil.yaml';
  const outcome = readConfig(file, values.config === undefined ? 'default' : 'asked');
  if ('errors' in outcome) {
    console.error(formatErrors(file, outcome.errors));
    process.exit(2);
  }
  return { config: outcome.config, configFile: existsSync(file) ? resolve(file) : undefined };
}

try {
  const { config, configFile } = prepare();
  const log = createLog(config.log.level);
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const clock = systemClock();
  const room = new StartRoom({ folder: resolve(config.data), bytes: config.journal.startRoomBytes });
  if (await room.giveUpWhenFull()) log.warn({ folder: config.data }, 'the disk of the data folder is full');
  const gateway = await openGateway({
    config,
    clock,
    chance: systemChance(),
    log,
    demo: false,
    version,
    ...(configFile === undefined ? {} : { configFile }),
  });
  log.info({ http: gateway.httpUrl, mqtt: gateway.mqttUrl }, 'Vigil runs');
  void room.layDown();
  clock.every(layDownEveryMs, () => void room.layDown());
  if (gateway.setupToken !== undefined) {
    console.log(
      `\nThere is no administrator yet. Make the first one within 15 minutes with this one-time setup token:\n\n` +
        `  ${gateway.setupToken}\n\n  POST ${gateway.httpUrl}/api/v1/setup {"token","user","name","password"} (see ${gateway.httpUrl}/api/docs)\n`,
    );
  }
  let leaving = false;
  const leave = (): void => {
    if (leaving) return;
    leaving = true;
    gateway.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', leave);
  process.on('SIGINT', leave);
} catch (error) {
  console.error(startFault(error));
  process.exit(error instanceof Fault && error.class === 'person' ? 2 : 1);
}
