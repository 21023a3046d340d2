// npm run journal -- stat|verify|dump --folder F [--json] [--class C] [--from T] [--to T] [--device D] [--batches A-B]
import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { dumpJournal, inspectJournal, type DumpAsk, type Inspection } from '../journal/inspect.ts';
import { count } from '../journal/ranges.ts';
import { journalClasses } from '../journal/types.ts';
import { Fault } from '../model/fault.ts';

const usage = `Usage: npm run journal -- stat|verify|dump --folder FOLDER [options]
  stat    sizes, times, batch numbers and what each sink has not had yet; --json for programs
  verify  names every damaged range; exit code 1 when there is one
  dump    every message that is there, a JSON line each (payloads in base64), narrowed by
          --class ${journalClasses.join('|')}, --device D, --batches A-B (both inclusive),
          --from T and --to T (receipt: RFC 3339 or ms since 1970)
  FOLDER is the journal's own folder (DATA/journal of a gateway, DATA/host/journal of its driver host). Reads only;
  whoever works on it goes on.
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      folder: { type: 'string' },
      json: { type: 'boolean', default: false },
      class: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      device: { type: 'string' },
      batches: { type: 'string' },
    },
  });
  const [command] = positionals;
  const { folder } = values;
  const ask = askOf(values);
  if (positionals.length !== 1 || folder === undefined || ask === undefined) return refuse();
  if (!existsSync(folder)) return refuse(`there is no folder ${folder}\n`);
  switch (command) {
    case 'stat':
      if (values.json) say(JSON.stringify(inspectJournal(folder), undefined, 2));
      else stat(inspectJournal(folder));
      return 0;
    case 'verify':
      return verify(inspectJournal(folder));
    case 'dump':
      await pipeline(Readable.from(linesOf(folder, ask)), process.stdout, { end: false });
      return 0;
    default:
      return refuse();
  }
}

/** Undefined when something of it cannot be meant. */
function askOf(values: {
  readonly class?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly device?: string | undefined;
  readonly batches?: string | undefined;
}): DumpAsk | undefined {
  const klass = journalClasses.find((known) => known === values.class);
  const [, first, last] = /^(\d+)-(\d+)$/.exec(values.batches ?? '') ?? [];
  const [fromMs, toMs] = [values.from, values.to].map((text) =>
    text === undefined ? undefined : parse(text),
  );
  const isWrong =
    (values.class !== undefined && klass === undefined) ||
    (values.batches !== undefined && first === undefined) ||
    Number.isNaN(fromMs) ||
    Number.isNaN(toMs);
  if (isWrong) return undefined;
  const batches = first === undefined ? undefined : ([Number(first), Number(last) + 1] as const);
  return { klass, fromMs, toMs, device: values.device, batches };
}

const parse = (text: string): number => (/^\d+$/.test(text) ? Number(text) : Date.parse(text));

function* linesOf(folder: string, ask: DumpAsk): Generator<string> {
  for (const line of dumpJournal(folder, ask)) yield `${JSON.stringify(line)}\n`;
}

function stat({ epoch, clean, classes, sinks, waiting, losses, faults }: Inspection): void {
  say(
    `journal ${epoch ?? 'of no epoch'}; the last stop was ${clean ? 'clean' : 'not clean, or it is at work'}`,
  );
  row(['class', 'segments', 'MB', 'batches', 'next', 'observations', 'oldest', 'newest']);
  for (const klass of journalClasses) {
    const {
      segments,
      bytes,
      present,
      nextNumber,
      observations,
      firstAtMs = 0,
      lastAtMs = 0,
    } = classes[klass];
    const size = (bytes / 1_000_000).toFixed(1);
    row([
      klass,
      segments,
      size,
      count(present),
      nextNumber,
      observations,
      instant(firstAtMs),
      instant(lastAtMs),
    ]);
  }
  for (const [sink, batches] of Object.entries(sinks)) {
    const { observations = 0, oldestAtMs } = waiting[sink] ?? {};
    const since = oldestAtMs === undefined ? '' : `, the oldest received ${instant(oldestAtMs)}`;
    say(`sink ${sink}: ${batches} batches wait, ${observations} observations${since}`);
  }
  if (losses.length + faults.length > 0)
    say(`${losses.length} ranges lost, ${faults.length} faults: npm run journal -- verify names them`);
}

const row = (cells: readonly (string | number)[]): void =>
  say(
    cells
      .map((cell, index) =>
        index === 0 ? String(cell).padEnd(10) : String(cell).padStart(index > 5 ? 26 : 13),
      )
      .join(''),
  );

function verify({ classes, losses, faults }: Inspection): number {
  for (const fault of faults) say(`${fault.message}. ${fault.whatToDo}`);
  for (const loss of losses) {
    say(
      `${loss.klass}: batches ${loss.fromNumber} to ${loss.toNumber - 1} are ${loss.why}: ${loss.messages} messages, ` +
        `${loss.observations} observations, received ${instant(loss.firstAtMs)} to ${instant(loss.lastAtMs)}`,
    );
  }
  const batches = journalClasses.reduce((sum, klass) => sum + count(classes[klass].present), 0);
  say(`${batches} batches whole, ${losses.length} ranges lost, ${faults.length} faults`);
  return losses.length + faults.length > 0 ? 1 : 0;
}

const instant = (ms: number): string => (ms > 0 ? new Date(ms).toISOString() : 'unknown');

const say = (line: string): void => void process.stdout.write(`${line}\n`);
// `dump | head` ends when head has enough.
process.stdout.on('error', () => process.exit(0));

function refuse(why = ''): number {
  process.stderr.write(why + usage);
  return 2;
}

try {
  process.exitCode = await main();
} catch (error) {
  const known = error instanceof Fault || (error instanceof Error && 'code' in error);
  if (!known) throw error;
  process.exitCode = refuse(`${(error as Error).message}\n`);
}
