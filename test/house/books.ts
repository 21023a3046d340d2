import { expect } from 'vitest';
import type { ObservationRow } from '../../api/services.ts';
import type { DoorClient } from './door-client.ts';
import { until, type GatewayProcess } from './gateway-process.ts';

const heart = 'MDC_ECG_HEART_RATE';

/** From who sent it and its number alone: a value that went astray shows. */
const valueOf = (device: number, seq: number): number => 60 + ((seq * 31 + device * 17) % 700) / 10;

interface Sent {
  /** When its PUBACK came, ms since 1970; undefined: not yet. */
  confirmedAtMs: number | undefined;
}

export interface Found {
  /** Device and seq of what is stored, once or more. */
  readonly stored: ReadonlyMap<string, number>;
  readonly wrong: readonly string[];
}

/** Senders that keep the books of what was confirmed: one observation a message, of each device in turn. */
export class Books {
  readonly boot: string;
  private readonly gateway: GatewayProcess;
  private readonly devices: number;
  private readonly startedAtMs = Date.now();
  private readonly sent = new Map<string, Sent>();
  private clients: readonly DoorClient[] = [];
  private turn = 0;

  constructor(gateway: GatewayProcess, devices: number) {
    this.gateway = gateway;
    this.devices = devices;
    this.boot = `books-${this.startedAtMs}`;
  }

  async connect(): Promise<void> {
    this.clients = this.gateway.clients();
    await Promise.all(this.clients.map((client) => client.connect()));
  }

  /** So many a second for so long, then until all are confirmed. */
  async load(forMs: number, perS: number): Promise<void> {
    const started = performance.now();
    await new Promise<void>((resolve) => {
      let count = 0;
      const timer = setInterval(() => {
        const elapsed = Math.min(performance.now() - started, forMs);
        for (; count < (elapsed * perS) / 1_000; count++) this.speak(this.turn++);
        if (elapsed < forMs) return;
        clearInterval(timer);
        resolve();
      }, 5);
    });
    await until('all is confirmed', 20_000, () => this.clients.every(({ pending }) => pending === 0));
  }

  /** Everything ever confirmed, once more, as a device does that lost its PUBACKs. */
  async resend(): Promise<void> {
    for (const name of [...this.sent.keys()]) this.publish(name);
    await until('all is confirmed again', 20_000, () => this.clients.every(({ pending }) => pending === 0));
  }

  end(): void {
    for (const client of this.clients) client.end();
  }

  /** Names of what was confirmed, by an instant if one is given. */
  confirmed(byMs = Infinity): string[] {
    return [...this.sent]
      .filter(([, { confirmedAtMs = Infinity }]) => confirmedAtMs <= byMs)
      .map(([name]) => name);
  }

  confirmedAtMs(name: string): number {
    return this.sent.get(name)?.confirmedAtMs ?? Infinity;
  }

  /** All that is stored, each looked at: value, patient's bed, sender. */
  async found(): Promise<Found> {
    const stored = new Map<string, number>();
    const wrong: string[] = [];
    for (let device = 0; device < this.devices; device++) {
      const rows = await this.gateway.rows(`device-${device}`, this.startedAtMs - 1_000, Date.now() + 60_000);
      for (const row of rows) {
        const name = `${device} ${row.seq}`;
        stored.set(name, (stored.get(name) ?? 0) + 1);
        if (!this.isRight(row, device)) wrong.push(name);
      }
    }
    return { stored, wrong };
  }

  private isRight(row: ObservationRow, device: number): boolean {
    const own = row.boot === this.boot && this.sent.has(`${device} ${row.seq}`);
    const placed = row.bed === `bed-${device}` && row.encounter !== undefined && row.patient !== undefined;
    return own && placed && row.metric === heart && row.value === valueOf(device, row.seq);
  }

  private speak(turn: number): void {
    const name = `${turn % this.devices} ${Math.floor(turn / this.devices) + 1}`;
    this.sent.set(name, { confirmedAtMs: undefined });
    this.publish(name);
  }

  private publish(name: string): void {
    const [device = 0, seq = 0] = name.split(' ').map(Number);
    const message = { boot: this.boot, seq, values: { [heart]: valueOf(device, seq) } };
    this.clients[device % this.clients.length]?.publish(
      `v1/device/device-${device}/observations`,
      JSON.stringify(message),
      {
        confirmed: () => {
          const sent = this.sent.get(name);
          if (sent) sent.confirmedAtMs ??= Date.now();
        },
      },
    );
  }
}

/** Each of these is stored once, nothing twice, every value and patient right; answers what else is not there. */
export function expectKept({ stored, wrong }: Found, wanted: readonly string[]): void {
  expect(wrong).toEqual([]);
  expect([...stored].filter(([, times]) => times > 1)).toEqual([]);
  expect(wanted.filter((name) => !stored.has(name))).toEqual([]);
}
