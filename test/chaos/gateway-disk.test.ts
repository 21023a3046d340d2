// Goal: a full or hung disk stops no device and no alarm, says so, recovers by itself, and the books balance: what was
// confirmed is stored or stands in the loss ledger, never both and never neither (DESIGN promises 1, 2 and 6).
// Way: a whole gateway on a small tmpfs that is filled, and one whose fdatasync is delayed 20 s by strace. One client
// waits for each PUBACK before it sends again; others keep the disk busy.
import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Loss } from '../../gateway/intake/ledger.ts';
import { openReserve } from '../../gateway/intake/reserve-file.ts';
import type { LossEntry } from '../../gateway/rows/tables.ts';
import type { DoorClient } from '../house/door-client.ts';
import {
  atRest,
  imbalance,
  openGatewayProcess,
  until,
  type GatewayProcess,
  type StreamReader,
} from '../house/gateway-process.ts';

const heart = 'MDC_ECG_HEART_RATE';
const journal = { segmentBytes: 1 << 20, reserveBytes: 256 * 1024, startRoomBytes: 1 << 20 };

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).toReversed()) await step();
});

/** Keeps the books of who sent what: each message is one observation of its device, each confirmed in the end. */
class Senders {
  readonly sent = new Map<string, number>();
  readonly confirmed = new Map<string, number>();
  /** Messages of a window of one that waited long: they were in the commit that hung. */
  readonly waitedLong: { readonly device: string; readonly seq: number }[] = [];
  private readonly startedAtMs = Date.now();
  private readonly boot = `disk-${this.startedAtMs}`;
  private readonly loops = new Map<string, Promise<void>>();
  private readonly stopped = new Set<string>();

  /** Sends `count` messages after the other, in one packet, when those before are confirmed. */
  windowOfOne(client: DoorClient, device: string, { count, pauseMs }: { count: number; pauseMs: number }) {
    const loop = async (): Promise<void> => {
      while (!this.stopped.has(device)) {
        const waitedMs = await this.ask(client, device, { count });
        const seq = this.sent.get(device) ?? 0;
        if (waitedMs > 1_500) this.waitedLong.push({ device, seq });
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    };
    const running = loop();
    // Told when the senders are stopped; a test that fails before has its own words.
    running.catch(() => undefined);
    this.loops.set(device, running);
  }

  /** Answers how long the confirmation took, ms. */
  async ask(
    client: DoorClient,
    device: string,
    { count = 1, violating = false }: { count?: number; violating?: boolean } = {},
  ): Promise<number> {
    const first = (this.sent.get(device) ?? 0) + 1;
    this.sent.set(device, first + count - 1);
    const messages = Array.from({ length: count }, (_, more) => {
      const seq = first + more;
      return { boot: this.boot, seq, values: { [heart]: violating ? violatingRate : valueOf(seq) } };
    });
    const waitedMs = await client.ask(`v1/device/${device}/observations`, JSON.stringify(messages));
    this.confirmed.set(device, (this.confirmed.get(device) ?? 0) + count);
    return waitedMs;
  }

  async stop(...devices: readonly string[]): Promise<void> {
    for (const device of devices) this.stopped.add(device);
    await Promise.all(devices.map((device) => this.loops.get(device)));
  }

  /** For each device: stored once or ledgered, and together exactly what was confirmed. */
  async check(gateway: GatewayProcess): Promise<readonly LossEntry[]> {
    const losses = gateway.losses().filter((loss) => loss.why === 'unrecorded');
    const wrong: object[] = [];
    for (const [device, sent] of this.sent) {
      const rows = await gateway.rows(device, this.startedAtMs - 1_000, Date.now() + 60_000);
      const stored = new Set(rows.map((row) => row.seq));
      const ledgered = observationsOf(losses.filter((loss) => loss.device === device));
      const confirmed = this.confirmed.get(device) ?? 0;
      const astray = rows.filter((row) => row.value !== valueOf(row.seq) && row.value !== violatingRate);
      const unaccounted = confirmed - stored.size - ledgered;
      const doubled = rows.length - stored.size;
      console.log(`  ${device}: ${confirmed} confirmed, ${stored.size} stored, ${ledgered} ledgered`);
      if (confirmed !== sent || unaccounted !== 0 || doubled > 0 || astray.length > 0)
        wrong.push({
          device,
          sent,
          confirmed,
          stored: stored.size,
          ledgered,
          doubled,
          astray: astray.length,
        });
      const struck = this.waitedLong.filter((one) => one.device === device && !stored.has(one.seq));
      if (struck.length > 0) wrong.push({ device, hungAndNotStored: struck });
    }
    expect(wrong).toEqual([]);
    return losses;
  }

  /** The gateway's own counters say the same. */
  async checkCounters(gateway: GatewayProcess, losses: readonly LossEntry[]): Promise<void> {
    const { counters } = await gateway.health();
    expect(counters.ledgered).toBe(observationsOf(losses));
    expect(counters.ledgered).toBeGreaterThan(0);
    expect(counters.received).toBe([...this.sent.values()].reduce((sum, count) => sum + count, 0));
  }
}

const violatingRate = 180;
const valueOf = (seq: number): number => 60 + (seq % 60);
const observationsOf = (losses: readonly { readonly observations: number }[]): number =>
  losses.reduce((sum, loss) => sum + loss.observations, 0);

const isRed = async (gateway: GatewayProcess): Promise<boolean> => {
  const { status, parts } = await gateway.health();
  const part = parts.find((each) => each.part === 'journal');
  return status === 'red' && part?.status === 'red' && part.says.startsWith('not recording');
};
const isGreen = async (gateway: GatewayProcess): Promise<boolean> =>
  (await gateway.health()).status === 'green';

/** What the stream said of the technical alarm, in order. */
const unrecorded = (stream: StreamReader): string[] =>
  stream.alarms
    .filter(({ alarm }) => alarm.condition === 'journal-unrecorded')
    .map(({ alarm }) => alarm.presence);

/** A limit is crossed on a bed of its own: the stream must say so at once. */
async function ring(
  device: string,
  { senders, client, stream }: { senders: Senders; client: DoorClient; stream: StreamReader },
): Promise<void> {
  const bed = device.replace('device', 'bed');
  const asked = senders.ask(client, device, { violating: true });
  await until(`an alarm of ${bed}`, 2_000, () =>
    stream.alarms.some(({ alarm }) => alarm.bed === bed && alarm.presence === 'present'),
  );
  await asked;
}

async function openAll(folder: string) {
  const gateway = await openGatewayProcess({ devices: 9, hosts: 3, folder, config: { journal } });
  cleanUp.push(() => gateway.stage.close());
  const [one, two, three] = gateway.clients();
  if (!one || !two || !three) throw new Error('three senders were wanted');
  for (const client of [one, two, three]) {
    await client.connect();
    client.speakAsHost();
  }
  cleanUp.push(() => [one, two, three].forEach((client) => client.end()));
  const stream = await gateway.stream();
  cleanUp.push(() => stream[Symbol.dispose]());
  const senders = new Senders();
  senders.windowOfOne(one, 'device-0', { count: 1, pauseMs: 10 });
  return { gateway, stream, senders, one, two, three };
}

/** As `until`, and what the gateway says of itself when it does not come. */
const eventually = (
  { gateway }: Pick<House, 'gateway'>,
  what: string,
  withinMs: number,
  look: () => unknown,
) =>
  until(what, withinMs, async () => Boolean(await look())).catch(async (error: unknown) => {
    const told = { health: await gateway.health(), alarms: await gateway.alarms() };
    throw new Error(`${String(error)}\n${JSON.stringify(told, undefined, 1)}`);
  });

type House = Awaited<ReturnType<typeof openAll>>;

/** Half a minute of trouble: everything a ward is promised meanwhile. */
async function whileNotRecording(house: House): Promise<void> {
  const { gateway, stream, senders, one, three } = house;
  await eventually(house, 'a red health page that says why', 10_000, () => isRed(gateway));
  await eventually(house, 'the technical alarm', 2_000, () => unrecorded(stream).at(-1) === 'present');
  const before = senders.confirmed.get('device-0') ?? 0;
  await ring('device-2', { senders, client: three, stream });
  await eventually(
    house,
    'confirmations to go on',
    10_000,
    () => (senders.confirmed.get('device-0') ?? 0) > before + 50,
  );
  await eventually(house, 'balanced counters', 10_000, async () => {
    const { counters } = await gateway.health();
    return counters.ledgered > 0 && imbalance(counters) === 0;
  });
  expect(await isRed(gateway)).toBe(true);
  expect(one.worstMs).toBeLessThan(3_500);
}

async function afterwards(house: House): Promise<void> {
  const { gateway, stream, senders, three } = house;
  await eventually(house, 'a green health page', 40_000, () => isGreen(gateway));
  await eventually(
    house,
    'the end of the technical alarm',
    2_000,
    () => unrecorded(stream).at(-1) === 'absent',
  );
  await eventually(house, 'the end of all technical alarms of the house', 5_000, async () =>
    (await gateway.alarms()).every((alarm) => alarm.kind === 'physiological' || alarm.owner === 'nurse'),
  );
  // Recording again: what comes now is stored.
  await ring('device-5', { senders, client: three, stream });
  await senders.stop('device-0');
  await atRest(gateway);
  // An orderly stop hands what the ledger holds to its table; the books hold over it.
  await gateway.restart('SIGTERM');
  await atRest(gateway);
  await senders.checkCounters(gateway, await senders.check(gateway));
}

test('a full disk: devices go on, alarms ring, and recording resumes by itself when there is room', async () => {
  const disk = mkdtempSync(join(tmpdir(), 'vigil-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', disk]);
  cleanUp.push(() => {
    execFileSync('umount', [disk]);
    rmSync(disk, { recursive: true });
  });
  const house = await openAll(disk);
  await eventually(
    house,
    'the first confirmations',
    5_000,
    () => (house.senders.confirmed.get('device-0') ?? 0) > 20,
  );
  // What was laid down ahead is used up soon by a sender of large packets.
  house.senders.windowOfOne(house.two, 'device-1', { count: 200, pauseMs: 10 });
  fill(join(disk, 'ballast'));

  await whileNotRecording(house);
  await house.senders.stop('device-1');
  rmSync(join(disk, 'ballast'));
  await afterwards(house);
});

test('killed while the disk is full, it starts again on the full disk, rings, and forgets no loss', async () => {
  const disk = mkdtempSync(join(tmpdir(), 'vigil-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', disk]);
  cleanUp.push(() => {
    execFileSync('umount', [disk]);
    rmSync(disk, { recursive: true });
  });
  const house = await openAll(disk);
  const { gateway, senders, one, two, three } = house;
  await until('the first confirmations', 5_000, () => (senders.confirmed.get('device-0') ?? 0) > 20);
  senders.windowOfOne(two, 'device-1', { count: 200, pauseMs: 10 });
  fill(join(disk, 'ballast'));
  await eventually(house, 'a red health page', 10_000, () => isRed(gateway));
  await senders.stop('device-0', 'device-1');
  // The reserve file is written by a thread of its own, a moment behind the confirmations.
  await new Promise((resolve) => setTimeout(resolve, 500));

  await gateway.restart('SIGKILL');
  for (const client of [one, two, three]) {
    await client.connect();
    client.speakAsHost();
  }
  using stream = await gateway.stream();
  await ring('device-2', { senders, client: three, stream });
  // The room it started with is soon used up, and the disk is full as before.
  senders.windowOfOne(two, 'device-4', { count: 200, pauseMs: 10 });
  await eventually(house, 'a red health page', 20_000, () => isRed(gateway));
  await ring('device-8', { senders, client: three, stream });
  await senders.stop('device-4');

  rmSync(join(disk, 'ballast'));
  await eventually(house, 'a green health page', 40_000, () => isGreen(gateway));
  await ring('device-5', { senders, client: three, stream });
  await atRest(gateway);
  await gateway.restart('SIGTERM');
  await atRest(gateway);
  const losses = await senders.check(gateway);
  expect(observationsOf(losses)).toBeGreaterThan(0);

  // Killed between the lasting ledger and the clearing of its reserve: what stands in both is told once.
  await gateway.stage.stop('SIGKILL');
  const reserve = openReserve(join(disk, 'data', 'loss-reserve'), journal.reserveBytes);
  reserve.write(losses as readonly Loss[]);
  reserve.close();
  await gateway.restart('SIGKILL');
  expect(observationsOf(await senders.check(gateway))).toBe(observationsOf(losses));
});

/** Writes until the disk takes nothing more. */
function fill(file: string): void {
  const bytes = Buffer.alloc(64 * 1024, 1);
  const handle = openSync(file, 'w');
  try {
    for (let size = bytes.length; size >= 1;) {
      try {
        writeSync(handle, bytes, 0, size);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(handle);
  }
}

test('the disk hangs for every thread: nobody waits long, and what hung is stored once and struck', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-hung-'));
  cleanUp.push(() => rmSync(folder, { recursive: true, force: true }));
  const house = await openAll(folder);
  await eventually(
    house,
    'the first confirmations',
    5_000,
    () => (house.senders.confirmed.get('device-0') ?? 0) > 20,
  );
  const strace = await hang(['-f', '-p', String(house.gateway.pid)]);

  await whileNotRecording(house);
  await released(strace);
  await afterwards(house);
});

test('the disk hangs for the journal writer alone: a second writer takes over, and the first one is heard out', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-hung-'));
  cleanUp.push(() => rmSync(folder, { recursive: true, force: true }));
  const house = await openAll(folder);
  await eventually(
    house,
    'the first confirmations',
    5_000,
    () => (house.senders.confirmed.get('device-0') ?? 0) > 20,
  );
  const strace = await hang(['-p', writerOf(house.gateway.pid)]);

  await whileNotRecording(house);
  await eventually(house, 'recording by another writer', 15_000, async () => !(await isRed(house.gateway)));
  await ring('device-8', { senders: house.senders, client: house.three, stream: house.stream });
  await released(strace);
  await afterwards(house);
});

const writerOf = (pid: number): string => {
  const tasks = `/proc/${pid}/task`;
  const writer = readdirSync(tasks).find(
    (task) => readFileSync(`${tasks}/${task}/comm`, 'utf8').trim() === 'journal-writer',
  );
  if (writer === undefined) throw new Error('the gateway has no thread named journal-writer');
  return writer;
};

/** Every fdatasync and fsync takes 20 s from now on, until it is released. */
async function hang(whom: readonly string[]): Promise<ChildProcess> {
  const calls = 'fdatasync,fsync';
  const inject = `inject=${calls}:delay_enter=20000000`;
  const strace = spawn('strace', [...whom, '-e', `trace=${calls}`, '-e', inject], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  cleanUp.push(() => void strace.kill('SIGKILL'));
  await once(strace.stderr, 'data');
  strace.stderr.resume();
  return strace;
}

async function released(strace: ChildProcess): Promise<void> {
  const ended = once(strace, 'exit');
  strace.kill('SIGTERM');
  await ended;
}
