import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { root } from './tidy/sources.ts';

// Goal: the last line of a test run tells the truth, whatever broke on the way.
// Way: the real scripts, with npm and vitest replaced in the PATH by programs that end as told.
let bin: string;
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'vigil-suite-test-'));
  mkdirSync(bin, { recursive: true });
});
afterEach(() => rmSync(bin, { recursive: true, force: true }));

const program = (name: string, body: string): void => {
  writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(bin, name), 0o755);
};

function run(command: string, args: readonly string[]): { last: string | undefined; code: number | null } {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH']}` };
  const { stdout, status } = spawnSync(command, args, {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return { last: stdout.trimEnd().split('\n').at(-1), code: status };
}
const ci = () => run('bash', [join(root, '.ci/run')]);
const suite = (...args: string[]) => run(process.execPath, [join(root, 'test/suite.ts'), ...args]);

test('the sum of npm ci, npm test and the long tests is the last line', () => {
  program(
    'npm',
    'case "$*" in ci) ;; test) echo "40 passed, 0 failed" ;; *) echo "2 passed, 0 failed" ;; esac',
  );
  expect(ci()).toEqual({ last: '43 passed, 0 failed', code: 0 });
});

test('a failure on the way is counted and the rest still runs', () => {
  program(
    'npm',
    'case "$*" in ci) exit 1 ;; test) echo "39 passed, 1 failed"; exit 1 ;; *) echo "2 passed, 0 failed" ;; esac',
  );
  expect(ci()).toEqual({ last: '41 passed, 2 failed', code: 1 });
});

test('a run that dies without a total is a failure, and so is one that fails with a clean total', () => {
  program(
    'npm',
    'case "$*" in ci) ;; test) echo "Segmentation fault"; exit 139 ;; *) echo "2 passed, 0 failed"; exit 1 ;; esac',
  );
  expect(ci()).toEqual({ last: '3 passed, 2 failed', code: 1 });
});

const report = (parts: object): string => {
  const whole = {
    numPassedTests: 5,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    testResults: [],
    ...parts,
  };
  return `for arg; do case "$arg" in --outputFile.json=*) file="\${arg#*=}" ;; esac; done
cat > "$file" <<'JSON'
${JSON.stringify(whole)}
JSON`;
};

test('each step counts as one, and a failing one stops nothing', () => {
  program('npm', '[ "$3" != lint ]');
  program('vitest', report({}));
  expect(suite('--steps', 'types,lint,format', 'quick')).toEqual({ last: '7 passed, 1 failed', code: 1 });
});

test('all green is green', () => {
  program('vitest', report({}));
  expect(suite('quick')).toEqual({ last: '5 passed, 0 failed', code: 0 });
});

test.each([
  ['a skipped test', report({ numPendingTests: 2 }), '5 passed, 2 failed'],
  [
    'a file that could not be loaded',
    report({ testResults: [{ name: 'a.test.ts', status: 'failed', assertionResults: [] }] }),
    '5 passed, 1 failed',
  ],
  ['an error outside every test', `${report({})}\nexit 1`, '5 passed, 1 failed'],
  ['a vitest that dies', 'exit 134', '0 passed, 1 failed'],
])('%s is a failure', (_, body, last) => {
  program('vitest', body);
  expect(suite('quick')).toEqual({ last, code: 1 });
});
