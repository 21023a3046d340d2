// The plain-JavaScript door of every command: it needs nothing but some Node, finds the Node this project is
// locked to, and says in words what to do when it is missing. `npm run X` puts node_modules/.bin first in PATH,
// so `node` here already is that Node; a direct `node cli/run.mjs X` is handed on to it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [command] = process.argv.slice(2);
const wanted = 24;

if (Number(process.versions.node.split('.')[0]) !== wanted) {
  const own = join(root, 'node_modules', '.bin', 'node');
  if (!existsSync(own) || process.env.VIGIL_NODE === own) {
    console.error(
      `Vigil runs on Node ${wanted}; this is Node ${process.versions.node}, and the one that comes with Vigil is not installed.\n` +
        `Run "npm ci" in ${root} first. It brings Node ${wanted} as an optional dependency for Linux on x64 and arm64;\n` +
        `on another machine, install Node ${wanted} yourself and run this again.`,
    );
    process.exit(2);
  }
  const child = spawn(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, VIGIL_NODE: own },
  });
  // Whoever ends this process means the one behind it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.exit(await new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1))));
}

const programs = {
  start: '../gateway/main.ts',
  demo: './demo.ts',
  decode: './decode.ts',
  simulate: './simulate.ts',
  replay: './replay.ts',
  journal: './journal.ts',
  reconcile: './reconcile.ts',
  backup: './backup.ts',
  restore: './restore.ts',
  bench: '../bench/main.ts',
  'driver-host': '../drivers/host/main.ts',
  'build-web': './build-web.ts',
  prepare: './prepare.ts',
};
const program = command === undefined ? undefined : programs[command];
if (!program) {
  console.error(`Usage: node cli/run.mjs <${Object.keys(programs).join('|')}> [options]`);
  process.exit(2);
}
// Compiled modules are kept: a start takes half the time, and each worker thread 12 MB in place of 25. The variable is
// how the threads learn of it.
const compiled = join(root, 'node_modules', '.cache', 'vigil-compiled');
module.enableCompileCache(compiled);
process.env.NODE_COMPILE_CACHE = compiled;

// The screens are built by `npm ci`; where that was skipped they are built now.
const needsScreens = command === 'start' || command === 'demo';
if (needsScreens && !existsSync(join(root, 'web', 'dist', 'ward.html'))) await import('./build-web.ts');
process.argv.splice(1, 2, fileURLToPath(new URL(program, import.meta.url)));
await import(program);
