import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readRecorded, RecordedFileError, type RecordedRow } from '../gateway/alarm/replay/recorded.ts';
import { readLimits, replayLimits, summarise } from '../gateway/alarm/replay/replay-limits.ts';
import { replayNews2 } from '../gateway/alarm/replay/replay-news2.ts';
import type { Acvpu } from '../gateway/alarm/scores/news2.ts';

const usage = `Usage: npm run replay -- --csv F --limits L
       npm run replay -- --csv F --scores news2 [--acvpu A|C|V|P|U] [--oxygen yes|no] [--scale 1|2] [--age Y] [--stale-s 3600]

What the alarms would have done on a recording: the same judge as live, on the file's own time. Prints JSON lines.

  --csv      header time_s,hr,pr,spo2,rr,abp_sys,abp_dia,abp_mean,nbp_sys,nbp_dia,nbp_mean,temp,etco2,fio2; blank = not measured
  --limits   JSON [{ "metric", "priority", "high" | "low", "delayS", "hysteresis", "maxGapS"? }], each judged alone
  --scores   news2: one line a row; the total is null unless all parts are known`;

function leave(text: string): never {
  console.error(`${text}\n\n${usage}`);
  process.exit(2);
}

function oneOf<const W extends string>(
  name: string,
  given: string | undefined,
  words: readonly W[],
): W | undefined {
  if (given === undefined) return undefined;
  return words.find((word) => word === given) ?? leave(`--${name} must be one of ${words.join(', ')}`);
}

function numberFrom(name: string, given: string | undefined, usual: number): number {
  const value = given === undefined ? usual : Number(given);
  return Number.isFinite(value) && value >= 0 ? value : leave(`--${name} must be a number from 0 on`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    return leave(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

function rowsOf(file: string): RecordedRow[] {
  try {
    return readRecorded(read(file));
  } catch (error) {
    if (error instanceof RecordedFileError) return leave(`${file}: ${error.message}`);
    throw error;
  }
}

function limitsOf(file: string) {
  let parsed: unknown;
  try {
    parsed = JSON.parse(read(file));
  } catch {
    return leave(`${file} is no JSON`);
  }
  const outcome = readLimits(parsed);
  return 'errors' in outcome ? leave(`${file}: ${outcome.errors.join('\n  ')}`) : outcome.limits;
}

const text = { type: 'string' } as const;
const options = {
  csv: text,
  limits: text,
  scores: text,
  acvpu: text,
  oxygen: text,
  scale: text,
  age: text,
  'stale-s': text,
  help: { type: 'boolean' },
} as const;
const { values } = (() => {
  try {
    return parseArgs({ options });
  } catch (error) {
    return leave(error instanceof Error ? error.message : String(error));
  }
})();
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const rows = rowsOf(values.csv ?? leave('--csv is missing'));
const lines: unknown[] = [];
if (oneOf('scores', values.scores, ['news2']) !== undefined) {
  const age = values.age === undefined ? undefined : numberFrom('age', values.age, 0);
  if (age !== undefined && age < 16) leave('NEWS2 is not for patients under 16');
  const oxygen = oneOf('oxygen', values.oxygen, ['yes', 'no']);
  const acvpu: Acvpu | undefined = oneOf('acvpu', values.acvpu, ['A', 'C', 'V', 'P', 'U']);
  const scale = oneOf('scale', values.scale, ['1', '2']) === '2' ? 2 : 1;
  const staleS = numberFrom('stale-s', values['stale-s'], 3_600);
  lines.push(
    ...replayNews2(rows, {
      acvpu,
      oxygen: oxygen === undefined ? undefined : oxygen === 'yes',
      scale,
      staleS,
    }),
  );
} else {
  const limits = limitsOf(values.limits ?? leave('--limits or --scores is missing'));
  lines.push(...replayLimits(rows, limits), { summary: summarise(rows, limits) });
}
process.stdout.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
