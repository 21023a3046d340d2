// npm run journal -- stat|verify|dump --folder F [--class numerics]
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { dumpJournal, inspectJournal, type Inspection } from '../journal/inspect.ts';
import { journalClasses } from '../journal/types.ts';
import { Fault } from '../model/fault.ts';

const usage = `Usage: npm run journal -- stat|verify|dump --folder FOLDER [--class ${journalClasses.join('|')}]
  stat    sizes, batch numbers and what each sink has not had yet
  verify  names every damaged range; exit code 1 when there is one
  dump    every message that is there, a JSON line each (payloads in base64)
`;

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { folder: { type: 'string' }, class: { type: 'string' } },
  });
  const [command] = positionals;
  const { folder, class: word } = values;
  const klass = journalClasses.find((known) => known === word);
  if (positionals.length !== 1 || folder === undefined || (word !== undefined && klass === undefined))
    return refuse();
  if (!existsSync(folder)) return refuse(`there is no folder ${folder}\n`);
  switch (command) {
    case 'stat':
      say(JSON.stringify(inspectJournal(folder), undefined, 2));
      return 0;
    case 'verify':
      return verify(inspectJournal(folder));
    case 'dump':
      for (const line of dumpJournal(folder, klass)) say(JSON.stringify(line));
      return 0;
    default:
      return refuse();
  }
}

function verify({ classes, losses, faults }: Inspection): number {
  for (const fault of faults) say(`${fault.message}. ${fault.whatToDo}`);
  for (const loss of losses) {
    say(
      `${loss.klass}: batches ${loss.fromNumber} to ${loss.toNumber - 1} are ${loss.why}: ${loss.messages} messages, ` +
        `${loss.observations} observations, received ${instant(loss.firstAtMs)} to ${instant(loss.lastAtMs)}`,
    );
  }
  const batches = journalClasses.reduce(
    (sum, klass) => sum + classes[klass].present.reduce((all, [from, to]) => all + to - from, 0),
    0,
  );
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
  process.exitCode = main();
} catch (error) {
  const known = error instanceof Fault || (error instanceof Error && 'code' in error);
  if (!known) throw error;
  process.exitCode = refuse(`${(error as Error).message}\n`);
}
