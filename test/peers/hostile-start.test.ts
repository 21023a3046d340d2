// Goal: a configuration that is wrong or unsafe is told whole, with path and line, and nothing starts.
// Way: the program as a person starts it, in a folder of its own.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vigil-start-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function start(yaml: string): { readonly code: number | null; readonly said: string } {
  const file = join(folder, 'vigil.yaml');
  writeFileSync(file, yaml);
  const program = fileURLToPath(new URL('../../cli/run.mjs', import.meta.url));
  const ran = spawnSync(process.execPath, [program, 'start', '--config', file], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { code: ran.status, said: ran.stdout + ran.stderr };
}

test('every error of a bad vigil.yaml is printed with its path and line, and nothing is made', () => {
  const { code, said } = start(
    [
      'version: 1', // 1
      'data: ./data', // 2
      'http:', // 3
      '  port: 70000', // 4
      'mqtt:', // 5
      '  prot: 1883', // 6
      'journal:', // 7
      '  commitMs: fast', // 8
      'log:', // 9
      '  level: loud', // 10
      'colour: blue', // 11
    ].join('\n'),
  );
  expect(code).toBe(2);
  for (const where of [
    'http.port, line 4',
    'mqtt.prot, line 6',
    'journal.commitMs, line 8',
    'log.level, line 10',
    'colour, line 11',
  ])
    expect(said).toContain(where);
  expect(said).toContain('5 errors');
  expect(existsSync(join(folder, 'data'))).toBe(false);
});

test('a file that is no YAML is told with its line', () => {
  const { code, said } = start('http:\n  port: [8080\nmqtt: {}\n');
  expect(code).toBe(2);
  expect(said).toMatch(/line [23]/);
});

test.each(['http', 'mqtt'])('%s bound beyond this machine without TLS is refused in words', (listener) => {
  const { code, said } = start(
    `http:\n  port: 0\nmqtt:\n  port: 0\n${listener}:\n  host: 0.0.0.0\n`.replace(
      new RegExp(`^${listener}:\\n  port: 0\\n`, 'm'),
      '',
    ),
  );
  expect(code).toBe(2);
  expect(said).toContain(`${listener}.host`);
  expect(said).toContain(`${listener}.allowPlaintextOutward: true`);
  expect(existsSync(join(folder, 'data'))).toBe(false);
});

test('a file that is not there is told when it was asked for', () => {
  const program = fileURLToPath(new URL('../../cli/run.mjs', import.meta.url));
  const asked = [program, 'start', '--config', join(folder, 'absent.yaml')];
  const ran = spawnSync(process.execPath, asked, { encoding: 'utf8', timeout: 30_000 });
  expect(ran.status).toBe(2);
  expect(ran.stderr).toContain('cannot be read');
});
