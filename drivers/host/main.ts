import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { systemClock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import { isId, systemChance } from '../../model/ids.ts';
import { openHostJournal } from './host-journal.ts';
import { runHost } from './host.ts';
import { readOwnMaps } from './maps.ts';
import { runningSession } from './session-host.ts';

const usage = `Usage: npm run driver-host -- --gateway mqtt://HOST:1883 --host-id ID --secret-file F --data DIR [--ca F]

  --gateway      address of the gateway: mqtt:// or mqtts://, ws:// or wss://…/mqtt
  --host-id      id of this host as registered on the gateway
  --secret-file  file with the host's secret
  --data         folder for the journal of this host
  --max-mb       what the journal may take on disk, MB (512); the oldest goes first and is told
  --ca           PEM of the authority that signed the gateway's certificate
  --with-parent  end when the program that started this one ends`;

interface Arguments {
  readonly gateway: string;
  readonly host: string;
  readonly secret: string;
  readonly folder: string;
  readonly ca?: Buffer;
  readonly maxBytes: number;
  readonly withParent: boolean;
}

function readArguments(): Arguments {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    gateway: text,
    'host-id': text,
    'secret-file': text,
    data: text,
    ca: text,
    'max-mb': { type: 'string', default: '512' } as const,
    'with-parent': flag,
    help: flag,
  };
  const { values } = parseArgs({ options });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const wrong = (text: string): never => {
    throw new RangeError(text);
  };
  const { gateway, data } = values;
  const host = values['host-id'];
  if (!gateway || !/^(mqtts?|wss?):\/\/./.test(gateway))
    return wrong('--gateway must be mqtt://…, mqtts://…, ws://… or wss://…');
  if (!isId(host)) return wrong('--host-id must be lower-case letters, digits and -, at most 64');
  if (!values['secret-file']) return wrong('--secret-file is missing');
  if (!data) return wrong('--data is missing');
  const maxMb = Number(values['max-mb']);
  if (!(maxMb >= 64)) return wrong('--max-mb must be a number of at least 64');
  return {
    gateway,
    host,
    secret: readFileSync(values['secret-file'], 'utf8').trim(),
    folder: data,
    ...(values.ca && { ca: readFileSync(values.ca) }),
    maxBytes: maxMb * 1_000_000,
    withParent: values['with-parent'],
  };
}

function readArgumentsOrLeave(): Arguments {
  try {
    return readArguments();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}

const args = readArgumentsOrLeave();
const clock = systemClock();
const logger = pino({ name: 'driver-host', level: 'info', base: { host: args.host } }, pino.destination(2));
const log = (fault: Fault): void => logger.warn({ fault: fault.toJSON() }, fault.message);

const chance = systemChance();
const journal = await openHostJournal({ ...args, clock, chance, log }).catch((error: unknown) => {
  console.error(error instanceof Fault ? `${error.message}. ${error.whatToDo}` : error);
  process.exit(1);
});
const running = await runHost({
  host: args.host,
  gateway: { url: args.gateway, secret: args.secret, ...(args.ca && { ca: args.ca }) },
  folder: args.folder,
  journal,
  maps: readOwnMaps(),
  clock,
  chance,
  log,
});
logger.info({ gateway: args.gateway }, 'driver host runs');

let leaving = false;
const leave = async (): Promise<void> => {
  if (leaving) return;
  leaving = true;
  await running.close();
  await journal?.close();
  process.exit(0);
};
process.on('SIGTERM', () => void leave());
process.on('SIGINT', () => void leave());
process.on('disconnect', () => void leave());
if (args.withParent) {
  const parent = process.ppid;
  clock.every(1_000, () => process.ppid !== parent && void leave());
}

// An error thrown where nobody catches it belongs to the session whose code ran: that session alone is ended.
const stray = (error: unknown): void => {
  const broke = runningSession.getStore();
  if (broke) return broke(error);
  logger.fatal({ error }, 'an error outside of any device');
  process.exit(1);
};
process.on('uncaughtException', stray);
process.on('unhandledRejection', stray);
