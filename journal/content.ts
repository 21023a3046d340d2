/** What a body holds, by sender and hour of receipt: for the loss ledger and the books. Pure. */
import { flagsHistorical, isObservationBatch, readSenders } from './observation-batch.ts';
import { isRecordBatch, readRecords } from './record-batch.ts';
import { hourMs } from './tally.ts';

export interface DeviceContent {
  /** `*`: the body does not say. */
  readonly device: string;
  /** Hours since 1970, by receipt. */
  readonly hour: number;
  messages: number;
  observations: number;
  /** Of the observations. */
  historical: number;
  firstAtMs: number;
  lastAtMs: number;
}

/** Sums by device and hour over any number of bodies. */
export class Contents {
  private readonly cells = new Map<string, DeviceContent>();

  /** A body of neither kind, or one that cannot be read, adds nothing. */
  add(body: Uint8Array): void {
    try {
      if (isObservationBatch(body)) this.addObservations(body);
      else if (isRecordBatch(body)) this.addRecords(body);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
    }
  }

  get all(): readonly DeviceContent[] {
    return [...this.cells.values()];
  }

  private addObservations(body: Uint8Array): void {
    const { senders, messages, receivedAtMs, deviceIndex, count, flags } = readSenders(body);
    let at = 0;
    for (let message = 0; message < messages; message++) {
      const cell = this.cell(senders[deviceIndex[message] ?? 0] ?? '*', receivedAtMs[message] ?? 0);
      const observations = count[message] ?? 0;
      cell.observations += observations;
      for (const end = at + observations; at < end; at++)
        if (flagsHistorical(flags[at] ?? 0)) cell.historical += 1;
    }
  }

  /** Quarantined payloads are no kept observations: their head counts none. */
  private addRecords(body: Uint8Array): void {
    for (const { head } of readRecords(body)) {
      const { device, receivedAtMs, observations = 0, historical } = head as RecordHead;
      const cell = this.cell(device ?? '*', receivedAtMs ?? 0);
      cell.observations += observations;
      if (historical === true) cell.historical += observations;
    }
  }

  /** The cell of one more message. */
  private cell(device: string, atMs: number): DeviceContent {
    const hour = Math.floor(atMs / hourMs);
    const key = `${device} ${hour}`;
    let cell = this.cells.get(key);
    if (!cell) {
      cell = { device, hour, messages: 0, observations: 0, historical: 0, firstAtMs: atMs, lastAtMs: atMs };
      this.cells.set(key, cell);
    }
    cell.messages += 1;
    if (atMs < cell.firstAtMs) cell.firstAtMs = atMs;
    if (atMs > cell.lastAtMs) cell.lastAtMs = atMs;
    return cell;
  }
}

interface RecordHead {
  readonly device?: string;
  readonly receivedAtMs?: number;
  readonly observations?: number;
  readonly historical?: boolean;
}
