import { join } from 'node:path';
import { expect } from 'vitest';
import type { ObservationRow } from '../../api/services.ts';
import { auditBooks } from '../../gateway/books/audit.ts';
import type { Chance } from '../../model/ids.ts';
import { seededChance } from '../../simulators/chance.ts';
import type { DoorClient } from '../house/door-client.ts';
import { atRest, openGatewayProcess, until, type GatewayProcess } from '../house/gateway-process.ts';

const messagesPerS = 500;
const devices = 40;
const hosts = 8;
const valueKeys = ['MDC_ECG_HEART_RATE', 'MDC_PULS_OXIM_SAT_O2'] as const;

/** From who sent it and its number alone: a value that went astray shows. */
const valueOf = (key: string, device: number, seq: number): number =>
  key === 'MDC_ECG_HEART_RATE'
    ? 60 + ((seq * 31 + device * 17) % 700) / 10
    : 91 + ((seq * 13 + device * 7) % 90) / 10;

type State = 'sent' | 'confirmed' | 'abandoned';

/**
 * Rounds of kill -9 under load. The senders keep the books: what was confirmed must be in the store exactly once with
 * its value, what was not at most once, and nothing else may be there.
 */
export async function killRounds({ rounds, seed }: { rounds: number; seed: number }): Promise<void> {
  console.log(`kill rounds: seed ${seed}`);
  const startedAtMs = Date.now();
  // Small segments: some kills then fall into the change from one to the next.
  await using gateway = await openGatewayProcess({
    devices,
    hosts,
    config: { journal: { segmentBytes: 1 << 20 } },
  });
  const ward = new Ward(gateway, seed);
  const kills: number[] = [];
  await ward.connect();
  for (let round = 1; round <= rounds; round++) {
    const afterMs = 30 + Math.floor(ward.chance.fraction() * 2_500);
    await ward.load(afterMs);
    kills.push(Date.now());
    await gateway.restart('SIGKILL');
    console.log(`  round ${round}: killed after ${afterMs} ms, ${ward.pending} unconfirmed`);
    await ward.connect();
    ward.resend();
  }
  await until('all is confirmed', 20_000, () => ward.pending === 0);
  // Each device is heard once more, so that each span in doubt has its end.
  ward.speakOnce();
  await until('all is confirmed', 20_000, () => ward.pending === 0);
  await atRest(gateway);
  await ward.check(startedAtMs);
  ward.end();
  // An orderly stop hands what the ledger holds to its table.
  await gateway.restart('SIGTERM');
  ward.checkLosses(kills);
  await atRest(gateway);
  await checkBooks(gateway, ward.observations);
}

/** The gateway's own books, each figure from its own place, agree with each other and with the senders'. */
async function checkBooks(
  { stage }: GatewayProcess,
  sent: { readonly confirmed: number; readonly tried: number },
): Promise<void> {
  const look = () => {
    const nowMs = Date.now();
    const ask = { folder: join(stage.folder, 'data'), fromMs: nowMs - 3_600_000, toMs: nowMs + 1, nowMs };
    return auditBooks({ ...ask, retentionMs: 72 * 3_600_000, breathe: () => undefined });
  };
  const found = await until('the books balance', 40_000, () => {
    const { balanced, ...rest } = look();
    return balanced && rest;
  }).catch((error: unknown) => {
    const { rows, problems } = look();
    throw new Error(`${String(error)}: ${JSON.stringify([problems, rows.filter((row) => !row.balanced)])}`);
  });
  const { totals } = found;
  console.log(`  books: ${JSON.stringify(totals)}`);
  expect(totals.stored + totals.waiting + totals.ledgered).toBeGreaterThanOrEqual(sent.confirmed);
  expect(totals.stored + totals.waiting).toBeLessThanOrEqual(sent.tried);
}

class Ward {
  readonly chance: Chance;
  private readonly gateway: GatewayProcess;
  private readonly clients: readonly DoorClient[];
  private readonly boot: string;
  /** What became of each message, by device and seq. */
  private readonly books = Array.from({ length: devices }, () => new Map<number, State>());
  private readonly alerts = new Set<string>();
  /** When each device was first confirmed, ms since 1970. */
  private readonly firstConfirmedMs = new Map<number, number>();
  private turn = 0;

  constructor(gateway: GatewayProcess, seed: number) {
    this.gateway = gateway;
    this.chance = seededChance(seed);
    this.boot = `kill-${seed}`;
    this.clients = gateway.clients();
  }

  /** Of the observation messages; alerts are counted apart. */
  get observations(): { readonly confirmed: number; readonly tried: number } {
    const states = this.books.flatMap((book) => [...book.values()]);
    const confirmed = states.filter((state) => state === 'confirmed').length;
    return { confirmed: confirmed * valueKeys.length, tried: states.length * valueKeys.length };
  }

  get pending(): number {
    return this.clients.reduce((sum, client) => sum + client.pending, 0);
  }

  async connect(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.connect()));
  }

  /** Most senders send again what they have no PUBACK for; some forget it, as a device that lost its power. */
  resend(): void {
    for (const client of this.clients) client.resend(() => this.chance.fraction() < 0.3);
  }

  /** Messages at the rate, spread over the devices, until the time is over. */
  async load(forMs: number): Promise<void> {
    const started = performance.now();
    let sent = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const elapsed = Math.min(performance.now() - started, forMs);
        for (; sent < (elapsed * messagesPerS) / 1_000; sent++) this.send(this.turn++ % devices);
        if (elapsed < forMs) return;
        clearInterval(timer);
        resolve();
      }, 5);
    });
  }

  speakOnce(): void {
    for (let device = 0; device < devices; device++) this.observe(device, 1);
  }

  end(): void {
    for (const client of this.clients) client.end();
  }

  /** Mostly one observation message; sometimes several in an array, an alert, or one that was confirmed long ago. */
  private send(device: number): void {
    const draw = this.chance.fraction();
    if (draw < 0.04) this.alert(device);
    else if (draw < 0.06) this.repeat(device);
    else this.observe(device, draw < 0.16 ? 3 : 1);
  }

  private observe(device: number, count: number): void {
    const book = this.books[device] as Map<number, State>;
    const seqs = Array.from({ length: count }, (_, more) => book.size + 1 + more);
    const mark = (state: State): void => {
      for (const seq of seqs) book.set(seq, state);
    };
    mark('sent');
    const messages = seqs.map((seq) => this.message(device, seq));
    this.clientOf(device).publish(
      `v1/device/device-${device}/observations`,
      JSON.stringify(count === 1 ? messages[0] : messages),
      {
        confirmed: () => {
          mark('confirmed');
          if (!this.firstConfirmedMs.has(device)) this.firstConfirmedMs.set(device, Date.now());
        },
        abandoned: () => mark('abandoned'),
      },
    );
  }

  /** Digests of a message stay the same: its time belongs to its number. */
  private message(device: number, seq: number): object {
    const values = Object.fromEntries(valueKeys.map((key) => [key, valueOf(key, device, seq)]));
    return { boot: this.boot, seq, values };
  }

  private repeat(device: number): void {
    const book = this.books[device] as Map<number, State>;
    const seq = 1 + Math.floor(this.chance.fraction() * book.size);
    if (book.get(seq) !== 'confirmed') return this.observe(device, 1);
    this.clientOf(device).publish(
      `v1/device/device-${device}/observations`,
      JSON.stringify(this.message(device, seq)),
    );
  }

  private alert(device: number): void {
    const seq = 1_000_000 + this.alerts.size;
    this.alerts.add(`${device} ${seq}`);
    this.clientOf(device).publish(
      `v1/device/device-${device}/alerts`,
      JSON.stringify({ boot: this.boot, seq, alerts: [leadOff, lowBattery], complete: true }),
    );
  }

  private clientOf(device: number): DoorClient {
    return this.clients[device % hosts] as DoorClient;
  }

  async check(fromMs: number): Promise<void> {
    const found = { lost: 0, doubled: 0, wrong: 0, foreign: 0, abandonedKept: 0 };
    let confirmed = 0;
    for (const [device, book] of this.books.entries()) {
      const rows = await this.gateway.rows(`device-${device}`, fromMs - 1_000, Date.now() + 60_000);
      const count = new Map<string, number>();
      for (const row of rows) {
        const state = book.get(row.seq);
        if (state === undefined || row.boot !== this.boot) found.foreign += 1;
        else if (row.value !== valueOf(row.metric, device, row.seq)) found.wrong += 1;
        count.set(rowName(row), (count.get(rowName(row)) ?? 0) + 1);
      }
      for (const [seq, state] of book) {
        for (const metric of valueKeys) {
          const times = count.get(rowName({ metric, seq })) ?? 0;
          if (times > 1) found.doubled += 1;
          if (state === 'confirmed') confirmed += 1;
          if (state === 'confirmed' && times === 0) found.lost += 1;
          if (state === 'abandoned' && times === 1) found.abandonedKept += 1;
        }
      }
    }
    console.log(`  ${confirmed} observations confirmed; ${JSON.stringify(found)}`);
    expect(confirmed).toBeGreaterThan(1_000);
    expect(found).toMatchObject({ lost: 0, doubled: 0, wrong: 0, foreign: 0 });
  }

  /** For each kill and each device heard before it, an entry of the ledger covers the instant of the kill. */
  checkLosses(kills: readonly number[]): void {
    const spans = this.gateway.losses().filter((loss) => loss.why === 'unclean-stop');
    const missing = kills.flatMap((atMs, round) =>
      this.books.flatMap((_, device) => {
        if ((this.firstConfirmedMs.get(device) ?? Infinity) > atMs - 100) return [];
        const told = spans.some(
          (span) => span.device === `device-${device}` && span.fromMs <= atMs + 50 && span.toMs >= atMs - 50,
        );
        return told ? [] : [`round ${round + 1} device-${device}`];
      }),
    );
    expect(missing).toEqual([]);
  }
}

const rowName = ({ metric, seq }: Pick<ObservationRow, 'metric' | 'seq'>): string => `${metric} ${seq}`;
const leadOff = {
  alertId: 'lead',
  code: 'LEAD',
  text: 'lead off',
  phase: 'continue',
  priority: 'low',
  type: 'technical',
} as const;
const lowBattery = { ...leadOff, alertId: 'battery', code: 'BATTERY', text: 'battery low' } as const;
