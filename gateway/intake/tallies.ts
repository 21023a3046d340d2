import { hourMs, packTally, type TallyRow } from '../../journal/tally.ts';

/** What one class has counted of one sender in one hour of receipt; grows until the hour is over. */
export class DeviceHour implements TallyRow {
  readonly device: string;
  readonly hour: number;
  received = 0;
  duplicate = 0;
  historical = 0;
  quarantined = 0;
  /** Counted more than the last body carried. */
  waits = false;

  constructor(device: string, hour: number) {
    this.device = device;
    this.hour = hour;
  }
}

/**
 * The books of one journal class: counters by sender and hour that grow as long as the process lives. Each body
 * carries those that changed; when it is not kept they wait for the next one, so only what a kept body held, or a line
 * of the ledger, is ever believed.
 */
export class Tallies {
  /** Begin of this run, ms: counters of another run are others. */
  readonly run: number;
  private waiting: DeviceHour[] = [];
  private readonly hours = new Map<string, DeviceHour>();

  constructor(run: number) {
    this.run = run;
  }

  /** The hour to count in; `known` is the one counted in last, which it mostly is. */
  at(device: string, receivedAtMs: number, known?: DeviceHour): DeviceHour {
    const hour = Math.floor(receivedAtMs / hourMs);
    const found = known?.hour === hour ? known : this.open(device, hour);
    if (!found.waits) {
      found.waits = true;
      this.waiting.push(found);
    }
    return found;
  }

  /** The counters so far of a sender's hour, if it is the newest of that sender. */
  of(device: string, hour: number): DeviceHour | undefined {
    const found = this.hours.get(device);
    return found?.hour === hour ? found : undefined;
  }

  get empty(): boolean {
    return this.waiting.length === 0;
  }

  /** What the next body carries as its tail, and whom to give it back to when the body is not kept. */
  take(): { readonly tail: Uint8Array; readonly rows: readonly DeviceHour[] } {
    const rows = this.waiting;
    if (rows.length === 0) return nothing;
    this.waiting = [];
    for (const row of rows) row.waits = false;
    return { tail: packTally({ run: this.run, rows }), rows };
  }

  /** The body that carried them was not kept. */
  putBack(rows: readonly DeviceHour[]): void {
    for (const row of rows) {
      if (row.waits) continue;
      row.waits = true;
      this.waiting.push(row);
    }
  }

  private open(device: string, hour: number): DeviceHour {
    const known = this.hours.get(device);
    if (known?.hour === hour) return known;
    const fresh = new DeviceHour(device, hour);
    this.hours.set(device, fresh);
    return fresh;
  }
}

const nothing = { tail: new Uint8Array(), rows: [] };
