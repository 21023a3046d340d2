import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../tidy/sources.ts';

const install = join(root, 'test/peers/install.sh');

function run(replaced: Readonly<Record<string, string>>) {
  const bin = mkdtempSync(join(tmpdir(), 'vigil-peers-'));
  for (const [name, body] of Object.entries(replaced)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH']}` };
  const ran = spawnSync('bash', [install], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  rmSync(bin, { recursive: true });
  return ran;
}

test('with every package there, nothing is done and it takes under a second', () => {
  const begun = performance.now();
  const ran = run({ 'apt-get': 'echo "apt-get was called" >&2; exit 1' });
  expect(ran).toMatchObject({ status: 0, stdout: '', stderr: '' });
  expect(performance.now() - begun).toBeLessThan(1_000);
});

test('without root the missing packages and the command are named, and it is a failure', () => {
  const ran = run({ id: 'echo 1000', 'dpkg-query': 'printf "socat=installed strace=config-files "' });
  expect(ran.status).toBe(1);
  expect(ran.stderr).toContain('strace');
  expect(ran.stderr).not.toMatch(/:.* socat /);
  expect(ran.stderr).toMatch(/apt-get install --no-install-recommends -y .*influxdb/);
});
