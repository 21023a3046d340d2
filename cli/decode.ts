import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { systemClock } from '../model/clock.ts';
import type { DecodedItem } from '../model/device.ts';
import { printable } from './decoded.ts';
import type { DecodeOptions } from '../drivers/driver.ts';
import { driverNames, loadDriver } from '../drivers/index.ts';

const usage = `Usage: npm run decode -- --driver NAME (--hex BYTES | --file F) [options]

What a driver makes of bytes, a JSON line each; what it cannot read goes to stderr with the reason.

  --driver NAME          ${driverNames.join(', ')}
  --hex BYTES            the bytes in hexadecimal; blanks, line ends and colons between them do not matter
  --file F               the same from a file, or a file of the bytes themselves
  --map F                modbus: the map (a YAML file, or the name of one that comes with Vigil)
  --request HEX          modbus: the request these bytes answer
  --characteristic UUID  Bluetooth: which characteristic the bytes are of (2a35)
  --settings JSON        the driver's settings where they change the meaning: '{"timeZone":"Asia/Shanghai"}'`;

class UsageError extends Error {}

function readHex(text: string, what: string): Buffer {
  const digits = text.replace(/[\s:]|0x/g, '');
  if (!/^([0-9a-fA-F]{2})*$/.test(digits))
    throw new UsageError(`${what} is not hexadecimal, two digits a byte`);
  return Buffer.from(digits, 'hex');
}

function readBytes({ hex, file }: { readonly hex?: string; readonly file?: string }): Buffer {
  if ((hex === undefined) === (file === undefined)) throw new UsageError('give either --hex or --file');
  if (hex !== undefined) return readHex(hex, '--hex');
  const content = readFileSync(file ?? '');
  const text = content.toString('latin1');
  return /^[0-9a-fA-F\s]+$/.test(text) ? readHex(text, '--file') : content;
}

function readMap(name: string): unknown {
  const own = new URL(`../drivers/maps/${name}.yaml`, import.meta.url);
  const path = existsSync(name) ? name : own;
  if (!existsSync(path)) throw new UsageError(`there is no map ${name}`);
  return parse(readFileSync(path, 'utf8'));
}

function readSettings(text: string): Readonly<Record<string, unknown>> {
  const settings: unknown = JSON.parse(text);
  if (typeof settings !== 'object' || settings === null) throw new UsageError('--settings is no JSON object');
  return settings as Record<string, unknown>;
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      driver: text,
      hex: text,
      file: text,
      map: text,
      request: text,
      characteristic: text,
      settings: text,
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(usage);
  if (!values.driver) throw new UsageError('--driver is missing');
  const driver = await loadDriver(values.driver);
  if (!driver) throw new UsageError(`there is no driver ${values.driver}`);
  if (!driver.decode) throw new UsageError(`driver ${values.driver} reads a library's objects, not bytes`);
  const bytes = readBytes(values);
  const known: DecodeOptions = {
    clock: systemClock(),
    ...(values.map !== undefined && { map: readMap(values.map) }),
    ...(values.request !== undefined && { request: readHex(values.request, '--request') }),
    ...(values.characteristic !== undefined && { characteristic: values.characteristic.toLowerCase() }),
    ...(values.settings !== undefined && { settings: readSettings(values.settings) }),
  };
  if (values.driver === 'modbus' && (!known.map || !known.request)) {
    throw new UsageError('a Modbus reply carries no address: --map and --request are needed');
  }
  const items = driver.decode(bytes, known);
  if (items.length === 0) console.error('nothing to decode: no whole frame in these bytes');
  for (const item of items) print(item);
}

function print(item: DecodedItem): void {
  if (item.kind === 'refused') return console.error(`${item.cause}: ${item.rawHex}`);
  console.log(JSON.stringify(printable(item)));
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Error)) throw error;
  console.error(`${error.message}\n\n${usage}`);
  process.exit(2);
}
