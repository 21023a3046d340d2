// Goal: a disk that hangs stops no recording: a second writer goes on, nothing confirmed is lost, and what the hung
// one kept after all is confirmed after all.
// Way: strace delays one fdatasync of the writer's own thread in a process of its own.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { append, openRoom, recovered, sinkRoom, until } from '../journal/room.ts';

let room = '';
const children: ChildProcess[] = [];
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'vigil-hung-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(room, { recursive: true, force: true });
});

interface Running {
  readonly child: ChildProcess;
  readonly lines: string[];
}

async function start(): Promise<Running> {
  const program = fileURLToPath(new URL('./journal-hung-child.ts', import.meta.url));
  const child = spawn(process.execPath, [program, room], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  await until(() => lines.length >= 20);
  return { child, lines };
}

/** Delays the next fdatasync of the newest writer's thread; gives back the strace that does it. */
async function hang(child: ChildProcess, forMs: number): Promise<ChildProcess> {
  const tasks = `/proc/${child.pid}/task`;
  const writer = readdirSync(tasks)
    .toSorted((a, b) => Number(b) - Number(a))
    .find((task) => readFileSync(`${tasks}/${task}/comm`, 'utf8').trim() === 'journal-writer');
  const inject = `inject=fdatasync:delay_enter=${forMs * 1_000}:when=1`;
  const strace = spawn('strace', ['-p', String(writer), '-e', 'trace=fdatasync', '-e', inject], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(strace);
  await once(strace.stderr, 'data');
  return strace;
}

/** Bodies that have not settled though later ones have. */
function underWay(lines: readonly string[]): number[] {
  const settled = new Set(lines.filter((line) => /^(kept|failed)/.test(line)).map(indexOf));
  return Array.from({ length: Math.max(...settled) }, (_, index) => index).filter(
    (index) => !settled.has(index),
  );
}

/**
 * Hangs the writer in the middle of a commit. It may be caught between two commits, laying down zeros: then nothing
 * hangs with it, and the next writer is tried.
 */
async function hangCommit({ child, lines }: Running, forMs: number): Promise<number[]> {
  for (let attempt = 1; attempt <= 5; attempt++) {
    const strace = await hang(child, forMs);
    const ended = once(strace, 'exit');
    await until(() => lines.filter((line) => line === 'replaced').length === attempt);
    const replaced = lines.lastIndexOf('replaced');
    // The new writer confirms, long before the hung call returns.
    await until(() => keptIn(lines.slice(replaced)).length >= 50);
    const held = underWay(lines);
    if (held.length > 0) return held;
    // strace stays with a thread that lives on; the next writer has one of its own.
    if (forMs < 10_000) await Promise.race([ended, after(forMs + 2_000)]);
    strace.kill('SIGKILL');
  }
  throw new Error('the writer was never caught in a commit');
}

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const keptIn = (lines: readonly string[]): string[] =>
  lines.filter((line) => line.startsWith('kept')).map((line) => `numerics ${line.slice('kept '.length)}`);
const indexOf = (line: string | undefined): number => Number(/n(\d+)/.exec(line ?? '')?.[1]);

test('a second writer goes on while the first hangs, and what the first kept after all is confirmed', async () => {
  const running = await start();
  const { child, lines } = running;
  const held = await hangCommit(running, 3_000);

  // The hung call returns, and what it held is confirmed after all.
  await until(() => underWay(lines).length === 0);
  expect(
    held.every((index) => lines.some((line) => line.startsWith('kept') && indexOf(line) === index)),
  ).toBe(true);
  child.stdin?.write('close\n');
  await until(() => lines.includes('closed'));

  const settled = lines.filter((line) => /^(kept|failed)/.test(line)).map(indexOf);
  expect(settled.toSorted((a, b) => a - b)).toEqual(settled.map((_, index) => index));
  expect(
    lines.filter((line) => line.startsWith('failed')).every((line) => line.endsWith('JOURNAL_HUNG')),
  ).toBe(true);

  await using open = await openRoom(room);
  expect(open.journal.found).toMatchObject({ damage: [], faults: [] });
  expect((await recovered(open.journal)).toSorted()).toEqual(keptIn(lines).toSorted());
});

test('killed while the first still hangs, nothing confirmed is lost and nothing is missed', async () => {
  const running = await start();
  const { child, lines } = running;
  await hangCommit(running, 30_000);
  child.kill('SIGKILL');
  for (const other of children) other.kill('SIGKILL');
  await once(child, 'close');

  {
    await using open = await openRoom(room);
    expect(open.journal.found).toMatchObject({ clean: false, damage: [] });
    const got = new Set(await recovered(open.journal));
    expect(keptIn(lines).filter((line) => !got.has(line))).toEqual([]);
    // Everything delivered: the segments that know what was never confirmed go.
    const sink = sinkRoom(open.journal, { id: 'store' });
    await append(open.journal, 'numerics', 'after');
    await until(async () => (await open.journal.stat()).classes.numerics.segments === 1);
    sink.handle.close();
  }
  await using open = await openRoom(room);
  expect(open.journal.found).toEqual({ clean: true, damage: [], faults: [] });
});
