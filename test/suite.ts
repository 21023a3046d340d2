/**
 * `npm test` and `npm run test:long`: runs the named steps and vitest projects to the end, whatever fails on the
 * way, and ends with one honest line, `N passed, N failed`. A step (types, lint …) counts as one; so does a test
 * file that cannot be loaded, a vitest that dies, and a test that was skipped.
 *
 *   node test/suite.ts [--steps peers,types,lint,format] [--minutes 15] PROJECT…
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

interface Count {
  readonly passed: number;
  readonly failed: number;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

const { values, positionals: projects } = parseArgs({
  allowPositionals: true,
  options: { steps: { type: 'string', default: '' }, minutes: { type: 'string', default: '15' } },
});
const limitMs = Number(values.minutes) * 60_000;

const lines: string[] = [];
let total: Count = { passed: 0, failed: 0 };
const add = (name: string, count: Count): void => {
  total = { passed: total.passed + count.passed, failed: total.failed + count.failed };
  lines.push(`  ${name}: ${count.passed} passed, ${count.failed} failed`);
};

for (const step of values.steps.split(',').filter(Boolean)) {
  const code = await run('npm', ['run', '--silent', step]);
  add(step, code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });
}
if (projects.length > 0) add(`vitest ${projects.join(', ')}`, await vitest(projects));

console.log(['', 'Summary', ...lines, `${total.passed} passed, ${total.failed} failed`].join('\n'));
process.exit(total.failed === 0 ? 0 : 1);

/** The exit code; 1 for one that was killed, after `limitMs` by us with all it started. */
function run(command: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
    const stop = (signal: NodeJS.Signals): void => {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    };
    const limit = setTimeout(() => {
      console.error(
        `\n${command} ${args.join(' ')} did not end within ${values.minutes} minutes and was stopped.`,
      );
      stop('SIGKILL');
    }, limitMs);
    const interrupted = (): void => stop('SIGTERM');
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
    const ended = (code: number): void => {
      clearTimeout(limit);
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
      resolve(code);
    };
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      ended(1);
    });
    child.on('exit', (code) => ended(code ?? 1));
  });
}

async function vitest(names: readonly string[]): Promise<Count> {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-suite-'));
  const file = join(folder, 'report.json');
  try {
    const code = await run('vitest', [
      'run',
      ...names.flatMap((name) => ['--project', name]),
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
    ]);
    const count = counted(file);
    // An error outside every test fails the run too: vitest says so by its exit code alone.
    return code !== 0 && count.failed === 0 ? { ...count, failed: 1 } : count;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function counted(file: string): Count {
  let report: VitestReport;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  } catch {
    return { passed: 0, failed: 1 };
  }
  const unloaded = report.testResults.filter(
    (each) => each.status === 'failed' && !each.assertionResults.some((result) => result.status === 'failed'),
  );
  for (const each of unloaded) console.error(`could not be run: ${each.name}`);
  const skipped = report.numPendingTests + report.numTodoTests;
  if (skipped > 0) console.error(`${skipped} test(s) were skipped: a skipped test counts as failed`);
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length + skipped,
  };
}
