// Goal: what was confirmed before a backup began, or a second folder was brought up to date, survives the loss of the
// whole data folder: stored once, with value and patient right, and a device that sends it again is recognised.
// Way: a whole gateway under load, `npm run backup` and `npm run restore` as programs, the data folder taken away.
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import type { Job } from '../../model/job.ts';
import { Books, expectKept } from '../house/books.ts';
import { atRest, openGatewayProcess, until } from '../house/gateway-process.ts';

const devices = 6;
const copyEverySeconds = 2;
/** A copy holds what was on disk when its pass began, and a pass is not always on time. */
const copyWithinMs = 5_000;

const rooms: string[] = [];
afterEach(() => {
  for (const room of rooms.splice(0)) rmSync(room, { recursive: true, force: true });
});

function openRoom(): string {
  const room = mkdtempSync(join(tmpdir(), 'vigil-backup-'));
  rooms.push(room);
  return room;
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A command as a person gives it, beside the gateway. */
async function run(command: 'backup' | 'restore', ...options: string[]): Promise<Ended> {
  const program = fileURLToPath(new URL('../../cli/run.mjs', import.meta.url));
  const child = spawn(process.execPath, [program, command, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  child.stderr.on('data', (part: Buffer) => (err += part.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('a backup taken under load is restored on a clean host, and goes on where it was', async () => {
  const room = openRoom();
  const [key, file] = [join(room, 'key'), join(room, 'ward.backup')];
  // Small segments: some are closed and taken away while the backup is made.
  await using gateway = await openGatewayProcess({
    devices,
    hosts: 2,
    config: { journal: { segmentBytes: 1 << 20 } },
  });
  const { stage } = gateway;
  const [data, config] = [join(stage.folder, 'data'), join(stage.folder, 'vigil.yaml')];
  expect((await run('backup', '--make-key', key)).code).toBe(0);
  const books = new Books(gateway, devices);
  await books.connect();
  await books.load(2_000, 400);

  const begunAtMs = Date.now();
  const [made] = await Promise.all([
    run('backup', '--to', file, '--key-file', key, '--config', config),
    books.load(4_000, 400),
  ]);
  expect(made.err).toContain('sealed');
  expect(made.code).toBe(0);
  const before = books.confirmed(begunAtMs);
  expect(before.length).toBeGreaterThan(700);
  expect(existsSync(join(data, 'backup-staging'))).toBe(false);
  expect((await run('backup', '--to', file, '--key-file', key, '--config', config)).err).toContain(
    'is there already',
  );
  books.end();

  await stage.stop('SIGKILL');
  expect((await run('restore', '--from', file, '--to', data, '--key-file', key)).err).toContain('not empty');
  rmSync(data, { recursive: true });
  const changed = readFileSync(file);
  changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1;
  writeFileSync(join(room, 'changed.backup'), changed);
  const refused = await run(
    'restore',
    '--from',
    join(room, 'changed.backup'),
    '--to',
    data,
    '--key-file',
    key,
  );
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('not as it was written')]);
  expect(existsSync(data)).toBe(false);

  const restored = await run('restore', '--from', file, '--to', data, '--key-file', key);
  expect([restored.code, restored.err]).toEqual([0, expect.any(String)]);
  const told = Number(/observations +(\d+)/.exec(restored.out)?.[1]);
  expect(told).toBeGreaterThanOrEqual(before.length);
  expect(told).toBeLessThanOrEqual(books.confirmed().length);
  expect(restored.out).not.toContain('damaged');
  expect(readFileSync(join(data, 'vigil.yaml'), 'utf8')).toContain(`data: ${data}`);

  await gateway.restart('SIGKILL');
  const first = await books.found();
  expectKept(first, before);
  expect(first.stored.size).toBe(told);

  // Every device sends all it has again: what is there is recognised, the rest is new.
  const { duplicate } = (await gateway.health()).counters;
  await books.connect();
  await books.resend();
  const counters = await atRest(gateway);
  expect(counters.duplicate - duplicate).toBe(told);
  expectKept(await books.found(), books.confirmed());
  books.end();
  // The span after the backup stands in the loss ledger, for each device.
  await gateway.restart('SIGTERM');
  const doubted = gateway.losses().filter((loss) => loss.why === 'unclean-stop');
  expect(new Set(doubted.map(({ device }) => device)).size).toBe(devices);
});

test('without the data folder the second folder starts, and the books say what may be missing', async () => {
  const room = openRoom();
  const copy = join(room, 'copy');
  mkdirSync(copy);
  await using gateway = await openGatewayProcess({
    devices,
    hosts: 2,
    config: { journal: { segmentBytes: 1 << 20 }, backup: { copyTo: copy, copyEverySeconds } },
  });
  const { stage } = gateway;
  const data = join(stage.folder, 'data');
  const books = new Books(gateway, devices);
  await books.connect();
  await books.load(9_000, 400);
  const killedAtMs = Date.now();
  await stage.stop('SIGKILL');
  books.end();
  rmSync(data, { recursive: true });

  const restored = await run('restore', '--from', copy, '--to', data);
  expect([restored.code, restored.out]).toEqual([0, expect.stringContaining('restored into')]);
  await gateway.restart('SIGKILL');
  const found = await books.found();
  expectKept(found, books.confirmed(killedAtMs - copyWithinMs));
  expect(found.stored.size).toBeGreaterThan(1_000);

  // Each device speaks once more: its span in doubt then has an end.
  await books.connect();
  await books.load(500, 100);
  await atRest(gateway);
  books.end();
  await gateway.restart('SIGTERM');
  const spans = gateway.losses().filter((loss) => loss.why === 'unclean-stop');
  const missing = books.confirmed(killedAtMs).filter((name) => !found.stored.has(name));
  const untold = missing.filter((name) => {
    const device = `device-${name.split(' ')[0]}`;
    const atMs = books.confirmedAtMs(name);
    return !spans.some(
      (span) => span.device === device && span.fromMs <= atMs + 50 && span.toMs >= atMs - 50,
    );
  });
  expect(untold).toEqual([]);
});

test('a second folder that is away is told, catches up, and is never overwritten by another data folder', async () => {
  const room = openRoom();
  const [copy, away] = [join(room, 'copy'), join(room, 'away')];
  mkdirSync(copy);
  await using gateway = await openGatewayProcess({
    devices,
    hosts: 1,
    config: { backup: { copyTo: copy, copyEverySeconds: 1 } },
  });
  const books = new Books(gateway, devices);
  await books.connect();
  await books.load(1_000, 100);
  const part = async () => (await gateway.health()).parts.find((one) => one.part === 'backup copy');
  const alarm = async () =>
    (await gateway.alarms()).find(
      (one) => one.condition === 'part-fault' && one.details?.['part'] === 'backup copy',
    );
  await until('a copy', 30_000, () => existsSync(join(copy, 'registry', 'rows.db')));

  renameSync(copy, away);
  await until('the alarm', 30_000, async () => (await alarm())?.owner === 'biomed');
  expect(await part()).toMatchObject({ status: 'yellow', fault: { code: 'BACKUP_COPY' } });
  // Where the disk was mounted stands an empty folder now: it is not taken for the copy.
  mkdirSync(copy);
  await until('what is wrong', 30_000, async () => (await part())?.fault?.code === 'BACKUP_COPY_FOREIGN');
  expect(readdirSync(copy)).toEqual([]);
  await books.load(1_000, 100);
  rmSync(copy, { recursive: true });
  renameSync(away, copy);
  await until('the end of the alarm', 30_000, async () => (await alarm()) === undefined);
  expect(await part()).toMatchObject({ status: 'green' });
  await wait(2_500);
  books.end();

  // The data folder is lost, and somebody starts Vigil before restoring: the copy stays what it was.
  await gateway.stage.stop('SIGKILL');
  const data = join(gateway.stage.folder, 'data');
  rmSync(data, { recursive: true });
  await gateway.restart('SIGKILL');
  await until('what is wrong', 30_000, async () => (await part())?.fault?.code === 'BACKUP_COPY_FOREIGN');
  await gateway.stage.stop('SIGKILL');
  rmSync(data, { recursive: true });
  expect((await run('restore', '--from', copy, '--to', data)).code).toBe(0);
  await gateway.restart('SIGKILL');
  expectKept(await books.found(), books.confirmed());
});

test('a backup asked for over the API is a job that ends with a file, or is called off without one', async () => {
  const room = openRoom();
  await using gateway = await openGatewayProcess({
    devices: 1,
    hosts: 1,
    config: { backup: { folder: room } },
  });
  const ended = (id: string) =>
    until('the end of the job', 20_000, async () => {
      const job = await gateway.call<Job>('GET', `/api/v1/jobs/${id}`);
      return job.state !== 'running' && job;
    });
  await expect(gateway.call('POST', '/api/v1/backup', {})).rejects.toThrow('no-key');
  const begun = await gateway.call<Job>('POST', '/api/v1/backup', { passphrase: 'eleven grey herons' });
  const done = await ended(begun.id);
  expect(done).toMatchObject({ state: 'done', progress: 1, kind: 'backup' });
  expect(readdirSync(room)).toEqual([(done.result as { file: string }).file]);

  const again = await gateway.call<Job>('POST', '/api/v1/backup', { passphrase: 'eleven grey herons' });
  await gateway.call('DELETE', `/api/v1/jobs/${again.id}`);
  expect((await ended(again.id)).state).toBe('cancelled');
  expect(readdirSync(room)).toHaveLength(1);
});
