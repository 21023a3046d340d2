// Goal: the books of a gateway balance to the observation, whatever was sent and however it ended; and whoever takes
// something away is noticed, with where.
// Way: a gateway in a process of its own, messages of every fate, a kill -9; then each kind of file is tampered with.
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { LossCell, LossItem } from '../../api/services.ts';
import type { DoorClient } from '../house/door-client.ts';
import { atRest, openGatewayProcess, until, type GatewayProcess } from '../house/gateway-process.ts';

const program = fileURLToPath(new URL('../../cli/reconcile.ts', import.meta.url));
const reconcile = (data: string): Promise<{ code: number; out: string }> =>
  new Promise((done) => {
    execFile(process.execPath, [program, '--folder', data, '--all'], (error, out, err) =>
      done({ code: typeof error?.code === 'number' ? error.code : 0, out: out + err }),
    );
  });
/** Figures of a line: received, kept, stowed, stored, waiting, givenUp, ledgered, quarantined, duplicate. */
const figures = (out: string, who: string): number[] =>
  (new RegExp(`^${who} .*$`, 'm').exec(out)?.[0] ?? '').slice(42).trim().split(/\s+/).slice(0, 9).map(Number);

const devices = 4;
const values = { MDC_ECG_HEART_RATE: 72, MDC_PULS_OXIM_SAT_O2: 97 };

class Senders {
  readonly clients: readonly DoorClient[];
  constructor(gateway: GatewayProcess) {
    this.clients = gateway.clients();
  }
  async connect(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.connect()));
  }
  send(device: number, branch: string, payload: unknown): void {
    const client = this.clients[device % this.clients.length] as DoorClient;
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    client.publish(`v1/device/device-${device}/${branch}`, text);
  }
  async confirmed(): Promise<void> {
    await until('all is confirmed', 20_000, () => this.clients.every(({ pending }) => pending === 0));
  }
  end(): void {
    for (const client of this.clients) client.end();
  }
}

/** Of each device: 40 messages of 2 values (one is refused in one), 5 of them again, 3 alerts, 2 waveforms, 1 unreadable. */
async function sendAll(senders: Senders, boot: string): Promise<void> {
  for (let device = 0; device < devices; device++) {
    const observed = (seq: number) => ({
      boot,
      seq,
      values: seq === 7 ? { ...values, 'no\nkey': 1 } : values,
    });
    for (let seq = 1; seq <= 40; seq++) senders.send(device, 'observations', observed(seq));
    for (let seq = 1; seq <= 5; seq++)
      senders.send(device, 'observations', { ...observed(seq), historical: true });
    const alert = {
      alertId: 'lead',
      code: 'LEAD',
      text: 'lead off',
      phase: 'continue',
      priority: 'low',
      type: 'technical',
    };
    const alerts = [alert, { ...alert, alertId: 'a2' }, { ...alert, alertId: 'a3' }];
    senders.send(device, 'alerts', { boot, seq: 1_000, alerts, complete: true });
    for (const seq of [2_000, 2_001]) {
      const samples = Buffer.alloc(20).toString('base64');
      const wave = {
        metric: 'MDC_ECG_ELEC_POTL_II',
        takenAtMs: Date.now(),
        periodUs: 4_000,
        gain: 1,
        offset: 0,
      };
      senders.send(device, 'waveforms', { boot, seq, ...wave, samples });
    }
    senders.send(device, 'observations', 'not json');
  }
  await senders.confirmed();
}

// received 40·2 + 1 + 5·2 + 3 + 2 + 1; kept 80 + 3 + 2; stowed 80; quarantined 2; duplicate 10.
const each = [97, 85, 80, 80, 0, 0, 0, 2, 10];
const times = (count: number): number[] => each.map((figure) => figure * count);

test('the books balance while the gateway works, after kill -9 and after a stop, and tampering is told with its place', async () => {
  await using gateway = await openGatewayProcess({ devices, hosts: 2 });
  const data = join(gateway.stage.folder, 'data');
  const senders = new Senders(gateway);
  await senders.connect();
  await sendAll(senders, 'first');
  await atRest(gateway);
  const working = await reconcile(data);
  expect(working.out).toMatch(/balanced: true\n$/);
  expect(working.code).toBe(0);

  await gateway.restart('SIGKILL');
  await senders.connect();
  await sendAll(senders, 'second');
  await atRest(gateway);
  senders.end();

  // Through the API: the same cells, and the lines of the unclean stop.
  const cells = await until('the books are entered', 10_000, async () => {
    const { items } = await gateway.call<{ items: LossCell[] }>('GET', '/api/v1/losses/books');
    const received = items.reduce((sum, cell) => sum + cell.received, 0);
    return received === 2 * devices * (each[0] ?? 0) && items;
  });
  const of0 = cells.filter(({ device }) => device === 'device-0');
  expect(of0.reduce((sum, { duplicate }) => sum + duplicate, 0)).toBe(20);
  expect(of0.reduce((sum, { historical }) => sum + historical.duplicate, 0)).toBe(20);
  const paged: LossCell[] = [];
  for (let next: string | undefined = ''; next !== undefined;) {
    const cursor = next === '' ? '' : `&cursor=${next}`;
    const page: { items: LossCell[]; next?: string } = await gateway.call(
      'GET',
      `/api/v1/losses/books?limit=1${cursor}`,
    );
    paged.push(...page.items);
    next = page.next;
  }
  expect(paged).toEqual(cells);
  const lines = await until('the ledger is settled', 10_000, async () => {
    const { items } = await gateway.call<{ items: LossItem[] }>('GET', '/api/v1/losses');
    return items.length >= devices && items;
  });
  expect(new Set(lines.map(({ why }) => why))).toEqual(new Set(['unclean-stop']));
  const job = await gateway.call<{ id: string }>('POST', '/api/v1/losses/reconcile', {});
  const done = await until('the job has ended', 20_000, async () => {
    const seen = await gateway.call<{ state: string; result?: { balanced: boolean; rows: unknown[] } }>(
      'GET',
      `/api/v1/jobs/${job.id}`,
    );
    return seen.state !== 'running' && seen;
  });
  expect(done).toMatchObject({ state: 'done', result: { balanced: true, problems: [] } });

  await gateway.stage.stop('SIGTERM');
  const stopped = await reconcile(data);
  expect(figures(stopped.out, 'all')).toEqual(times(2 * devices));
  for (let device = 0; device < devices; device++) expect(stopped.out).toContain(`device-${device}`);
  expect(stopped).toMatchObject({ code: 0 });

  await tampered(data, 'a row of the historian', (copy) => {
    const gone = edit(join(copy, 'historian', 'historian.db'), (database) => {
      const table =
        database.prepare('SELECT count(*) AS n FROM chunks').get()?.['n'] === 0 ? 'blocks' : 'chunks';
      database.exec(`DELETE FROM ${table} WHERE id = (SELECT min(id) FROM ${table})`);
      return table;
    });
    expect(gone).toBeDefined();
    return /kept and not stored/;
  });
  await tampered(data, 'a line of the ledger', (copy) => {
    edit(join(copy, 'registry', 'rows.db'), (database) =>
      database.exec('DELETE FROM losses WHERE number = 2'),
    );
    return /! line 2 of the loss ledger is missing: device-\d, 0 observations, unclean-stop/;
  });
  await tampered(data, 'a segment of the journal', (copy) => {
    const journal = join(copy, 'journal');
    const segment =
      readdirSync(journal)
        .filter((file) => file.startsWith('numerics-'))
        .at(-1) ?? '';
    rmSync(join(journal, segment));
    return /! the journal lacks batches \d+ to \d+ of class numerics/;
  });
  await tampered(data, 'a count of the books', (copy) => {
    edit(join(copy, 'books', 'books.db'), (database) =>
      database.exec(
        "UPDATE kept SET observations = observations - 1 WHERE device = 'device-2' AND class = 'numerics'",
      ),
    );
    return /device-2 .*1 received and not accounted for; 1 stored and never kept/;
  });
});

async function tampered(data: string, what: string, act: (copy: string) => RegExp): Promise<void> {
  const copy = mkdtempSync(join(tmpdir(), 'vigil-tampered-'));
  try {
    cpSync(data, copy, { recursive: true });
    const told = act(copy);
    const { code, out } = await reconcile(copy);
    expect(out, what).toMatch(told);
    expect(out, what).toMatch(/balanced: false\n$/);
    expect(code, what).toBe(1);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function edit<T>(file: string, use: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(file);
  try {
    return use(database);
  } finally {
    database.close();
  }
}
