// npm run reconcile [-- --config FILE | --folder DATA] [--from T] [--to T] [--device D] [--all]
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { auditBooks } from '../gateway/books/audit.ts';
import type { Balance, BalanceRow } from '../gateway/books/balance.ts';
import { readConfig } from '../gateway/config/config.ts';
import { lockFolder } from '../journal/lock.ts';
import { systemClock } from '../model/clock.ts';

const usage = `Usage: npm run reconcile [-- --config FILE | --folder DATA] [--from T] [--to T] [--device D] [--all]
  Counts, by device and hour of receipt, what was received, kept, stored, ledgered, quarantined and recognised as
  duplicate, each from its own place, and compares. Reads only; the gateway may be at work. The last line says
  balanced: true or false; the exit code is 0 or 1. T is RFC 3339 or ms since 1970; the whole retention when absent.
  --all prints every hour, not only the sums of each device and what does not agree.
`;
const hour = 3_600_000;
/** What is under way in a gateway at work is told apart from what is missing by looking again. */
const lookAgainMs = 12_000;
const mostLooks = 3;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      folder: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      device: { type: 'string' },
      all: { type: 'boolean', default: false },
    },
  });
  const outcome = readConfig(
    values.config ?? 'vigil.yaml',
    values.config === undefined ? 'default' : 'asked',
  );
  if ('errors' in outcome) return refuse(`${outcome.errors.map(({ cause }) => cause).join('\n')}\n`);
  const folder = resolve(values.folder ?? outcome.config.data);
  if (!existsSync(join(folder, 'books'))) return refuse(`there is no data of a gateway in ${folder}\n`);
  const retentionMs = outcome.config.historian.retentionHours * hour;
  const clock = systemClock();
  const nowMs = clock.nowMs();
  const fromMs = values.from === undefined ? nowMs - retentionMs : instant(values.from);
  const toMs = values.to === undefined ? nowMs + hour : instant(values.to);
  if (!Number.isFinite(fromMs) || !Number.isFinite(toMs)) return refuse('from and to must be instants\n');
  const ask = { folder, device: values.device, fromMs, toMs, retentionMs, breathe: () => undefined };
  let found = auditBooks({ ...ask, nowMs });
  for (let looks = 1; !found.balanced && looks < mostLooks && isAtWork(folder); looks++) {
    await new Promise<void>((done) => void clock.after(lookAgainMs, done));
    found = auditBooks({ ...ask, nowMs: clock.nowMs() });
  }
  print(found, values.all);
  return found.balanced ? 0 : 1;
}

const instant = (text: string): number => (/^\d+$/.test(text) ? Number(text) : Date.parse(text));

const columns = [
  'received',
  'kept',
  'stowed',
  'stored',
  'waiting',
  'givenUp',
  'ledgered',
  'quarantined',
  'duplicate',
] as const;

function print({ rows, problems, totals, balanced }: Balance, all: boolean): void {
  const line = (who: string, when: string, figures: readonly (number | null | string)[], end: string): void =>
    say(
      who.padEnd(24) +
        when.padEnd(18) +
        figures.map((figure) => String(figure ?? 'gone').padStart(12)).join('') +
        `  ${end}`,
    );
  line('device', 'hour (UTC)', [...columns], '');
  const shown = all ? rows : rows.filter((row) => !row.balanced);
  for (const row of shown)
    line(
      row.device,
      when(row.fromMs),
      columns.map((name) => row[name]),
      wrong(row),
    );
  if (!all)
    for (const [device, own] of Map.groupBy(rows, (row) => row.device))
      line(
        device,
        `${own.length} hours`,
        columns.map((name) => own.reduce((sum, row) => sum + (row[name] ?? 0), 0)),
        own.every((row) => row.balanced) ? '' : 'see above',
      );
  line(
    'all',
    '',
    columns.map((name) => totals[name]),
    '',
  );
  const historical = rows.reduce((sum, row) => sum + row.historical.kept + row.historical.duplicate, 0);
  say(`of these historical: ${historical}`);
  for (const problem of problems) say(`! ${problem}`);
  say(`balanced: ${balanced}`);
}

function wrong({ unexplained: { received, stored }, balanced }: BalanceRow): string {
  if (balanced) return '';
  const said = (count: number, less: string, more: string): string[] =>
    count === 0 ? [] : [`${Math.abs(count)} ${count > 0 ? less : more}`];
  return [
    ...said(received, 'received and not accounted for', 'accounted for and never received'),
    ...said(stored, 'kept and not stored', 'stored and never kept'),
  ].join('; ');
}

const when = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');

/** Somebody holds the journal's lock. */
function isAtWork(folder: string): boolean {
  try {
    lockFolder(join(folder, 'journal'))();
    return false;
  } catch {
    return true;
  }
}

const say = (text: string): void => void process.stdout.write(`${text.trimEnd()}\n`);
process.stdout.on('error', () => process.exit(0));

function refuse(why: string): number {
  process.stderr.write(why + usage);
  return 2;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Error)) throw error;
  process.exitCode = refuse(`${error.message}\n`);
}
