import { hostTopic } from '../../broker/topics.ts';
import { readRecords, type BatchRecord } from '../../journal/record-batch.ts';
import { openSink, type SinkHandle } from '../../journal/sink.ts';
import type { Journal, SinkBatch } from '../../journal/types.ts';
import type { Cancel, Clock } from '../../model/clock.ts';
import type { Chance, DeviceId, HostId } from '../../model/ids.ts';
import type { RawMessage, RawReply } from '../../model/wire.ts';
import type { Loss } from '../intake/ledger.ts';
import { rawBoot } from '../intake/seen.ts';

/** One publication of a foreign sender, and whom it is about. */
export interface ForeignPublication {
  readonly devices: ReadonlySet<DeviceId>;
  readonly topic: string;
  readonly payload: Buffer;
  /** False: sent with QoS 0, so what is lost on its way is lost by design. */
  readonly confirmed: boolean;
}

/** The head of such a message in the journal's class `raw`. */
export interface ForeignHead {
  readonly branch: 'foreign';
  readonly device: DeviceId;
  readonly topic: string;
  readonly receivedAtMs: number;
  /** Of this process: tells a record that was spoken before it was kept. */
  readonly id: string;
}

export interface RawLaneOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly publish: (topic: string, payload: string) => void;
  /** Who decodes the device now. */
  readonly hostOf: (device: DeviceId) => HostId | undefined;
  readonly hostUp: (host: HostId) => boolean;
  readonly recording: () => boolean;
  /** Queues one record; `settled` when it is on disk or in the loss ledger. */
  readonly keep: (head: ForeignHead, message: ForeignPublication, settled: () => void) => void;
  /** Given up: for a while no driver was open that could read it. */
  readonly unread: (loss: Loss) => void;
}

/** A batch's number and a record's place in it make one number; a batch never has that many. */
const recordsPerBatch = 4_096;
const window = { batches: 32, bytes: 4_000_000 };
const watchMs = 1_000;
/** A host that is up and has kept nothing of what it was given for so long did not get it. */
const unansweredMs = 10_000;
/** A driver that is not open by then (a wrong setting, another device's serial number) reads nothing of what waits for it. */
const unreadMs = 60_000;
/** Batches that wait for such drivers outside the window; beyond it the oldest are given up. */
const mostWaiting = 2_048;
/** Records spoken from memory alone while nothing can be recorded; the oldest are forgotten. */
const mostSpoken = 20_000;

interface Flight {
  readonly records: Map<number, Foreign>;
  readonly handedAtMs: number;
  sentAtMs: number;
  /** Some driver is not open: it does not stand in the window, or others' messages would wait behind it. */
  aside: boolean;
}
interface Foreign {
  readonly head: ForeignHead;
  readonly payload: Uint8Array;
}
interface Served {
  readonly sink: SinkHandle;
  /** By batch number, ascending. */
  readonly flights: Map<number, Flight>;
  /** Devices whose driver was not open: their messages wait in order, the oldest is tried again every second. */
  readonly stalled: Set<DeviceId>;
  boot: string | undefined;
}

/**
 * Foreign MQTT on its way to the driver host that reads it (DESIGN 2). A message is journaled before its PUBACK and
 * handed down from memory after that; what a host has not said to have kept is handed down again when it is back.
 * One sink a host, so that a host that is away keeps none but its own. While nothing can be recorded the messages go
 * down at once and without a number: the patient is judged all the same.
 */
export class RawLane {
  private readonly options: RawLaneOptions;
  private readonly hosts = new Map<HostId, Served>();
  /** Queued and not settled. */
  private readonly open = new Map<string, Foreign>();
  private readonly spoken = new Set<string>();
  private readonly boot: string;
  private readonly run: string;
  private readonly stop: Cancel;
  private ids = 0;

  constructor(options: RawLaneOptions) {
    this.options = options;
    this.boot = `${rawBoot}${options.journal.epoch}`;
    this.run = options.chance.hex(64);
    this.stop = options.clock.every(watchMs, () => this.watch());
  }

  /** Hands down what is kept for this host, from now on. */
  serve(host: HostId): void {
    if (this.hosts.has(host)) return;
    const spec = { id: `raw-${host}`, kind: 'ordered', classes: ['raw'], window } as const;
    const sink = openSink(this.options.journal, spec, (batch) => this.handed(host, batch));
    this.hosts.set(host, { sink, flights: new Map(), stalled: new Set(), boot: undefined });
  }

  /** At the door: `confirm` when every record of it is settled. */
  take(message: ForeignPublication, confirm: () => void): void {
    let left = message.devices.size;
    if (left === 0) return confirm();
    const settled = (): void => {
      left -= 1;
      if (left === 0) confirm();
    };
    for (const device of message.devices) this.keep(device, message, settled);
  }

  /** What became of a record that a host was handed. */
  replied(host: HostId, { raw, outcome }: RawReply): void {
    const served = this.hosts.get(host);
    const number = Math.floor(raw / recordsPerBatch);
    const flight = served?.flights.get(number);
    if (!served || !flight) return;
    const record = flight.records.get(raw);
    if (!record) return;
    const { device } = record.head;
    if (outcome === 'unread') {
      served.stalled.add(device);
      stepAside(served, number, flight);
      return;
    }
    flight.records.delete(raw);
    settle(served, number, flight);
    if (served.stalled.delete(device)) this.sendAll(host, served, device);
  }

  /** Each state of a host: one that was started anew has nothing of what it was given. */
  hostTold(host: HostId, boot: string): void {
    const served = this.hosts.get(host);
    if (!served || served.boot === boot) return;
    served.boot = boot;
    this.again(host);
  }

  /** A host is connected again: it may have missed what was sent meanwhile. */
  again(host: HostId): void {
    const served = this.hosts.get(host);
    if (!served) return;
    served.stalled.clear();
    for (const flight of served.flights.values()) this.send(host, served, flight);
  }

  /** Nothing is recorded any more: what still waits for the disk is told now. */
  unrecorded(): void {
    for (const record of this.open.values()) this.speak(record);
  }

  close(): void {
    this.stop();
    for (const { sink } of this.hosts.values()) sink.close();
  }

  private keep(device: DeviceId, message: ForeignPublication, settled: () => void): void {
    const { clock, recording, keep } = this.options;
    const id = `${this.run}-${++this.ids}`;
    const head: ForeignHead = {
      branch: 'foreign',
      device,
      topic: message.topic,
      receivedAtMs: clock.nowMs(),
      id,
    };
    const record = { head, payload: message.payload };
    this.open.set(id, record);
    if (!recording()) this.speak(record);
    keep(head, message, () => {
      // A commit that fails confirms first and says so then: looked at when that is told.
      queueMicrotask(() => {
        if (!recording()) this.speak(record);
        this.open.delete(id);
      });
      settled();
    });
  }

  /** From memory, without a number. */
  private speak({ head, payload }: Foreign): void {
    if (this.spoken.has(head.id)) return;
    this.spoken.add(head.id);
    if (this.spoken.size > mostSpoken) {
      for (const oldest of this.spoken) {
        this.spoken.delete(oldest);
        break;
      }
    }
    const host = this.options.hostOf(head.device);
    if (host !== undefined) this.publish(host, { head, payload }, undefined);
  }

  private handed(host: HostId, { number, body }: SinkBatch): void {
    const served = this.hosts.get(host);
    if (!served) return;
    const records = new Map<number, Foreign>();
    for (const [index, record] of readRecords(body).entries()) {
      if (!isForeign(record) || this.spoken.has(record.head.id)) continue;
      if (this.options.hostOf(record.head.device) === host)
        records.set(number * recordsPerBatch + index, record);
    }
    if (records.size === 0) return served.sink.delivered('raw', [[number, number + 1]]);
    const handedAtMs = this.options.clock.monotonicMs();
    const flight: Flight = { records, handedAtMs, sentAtMs: -Infinity, aside: false };
    served.flights.set(number, flight);
    if (served.flights.size > mostWaiting) {
      for (const [oldest, waiting] of served.flights) {
        this.giveUp(served, oldest, waiting);
        break;
      }
    }
    if (this.options.hostUp(host)) this.send(host, served, flight);
  }

  private send(host: HostId, served: Served, flight: Flight): void {
    flight.sentAtMs = this.options.clock.monotonicMs();
    for (const [number, record] of flight.records) {
      if (!served.stalled.has(record.head.device)) this.publish(host, record, number);
      else stepAside(served, Math.floor(number / recordsPerBatch), flight);
    }
  }

  /** Everything that waits for one device, in its order. */
  private sendAll(host: HostId, { flights }: Served, device: DeviceId): void {
    for (const { records } of flights.values())
      for (const [number, record] of records)
        if (record.head.device === device) this.publish(host, record, number);
  }

  /** The oldest message of each stalled device. */
  private probe(host: HostId, { flights, stalled }: Served): void {
    const waiting = new Set(stalled);
    for (const { records } of flights.values()) {
      if (waiting.size === 0) return;
      for (const [number, record] of records)
        if (waiting.delete(record.head.device)) this.publish(host, record, number);
    }
    // Nothing of these waits any more.
    for (const device of waiting) stalled.delete(device);
  }

  private publish(host: HostId, { head, payload }: Foreign, number: number | undefined): void {
    const message: RawMessage = {
      device: head.device,
      topic: head.topic,
      ...(number === undefined ? {} : { boot: this.boot, number }),
      receivedAtMs: head.receivedAtMs,
      sentAtMs: this.options.clock.nowMs(),
      payload: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('base64'),
    };
    this.options.publish(hostTopic(host, 'raw'), JSON.stringify(message));
  }

  private watch(): void {
    const now = this.options.clock.monotonicMs();
    for (const [host, served] of this.hosts) {
      if (!this.options.hostUp(host)) continue;
      for (const [number, flight] of served.flights) {
        // Its device was given to another host, or away, meanwhile.
        for (const [at, { head }] of flight.records)
          if (this.options.hostOf(head.device) !== host) flight.records.delete(at);
        settle(served, number, flight);
        if (flight.records.size === 0) continue;
        if (flight.aside && now - flight.handedAtMs >= unreadMs) this.giveUp(served, number, flight);
        else if (now - flight.sentAtMs >= unansweredMs) this.send(host, served, flight);
      }
      this.probe(host, served);
    }
  }

  private giveUp(served: Served, number: number, flight: Flight): void {
    for (const { head } of flight.records.values()) {
      const { device, receivedAtMs: atMs } = head;
      this.options.unread({
        device,
        metric: '*',
        fromMs: atMs,
        toMs: atMs,
        observations: 0,
        why: 'raw-unread',
      });
    }
    flight.records.clear();
    settle(served, number, flight);
  }
}

/** It waits outside the window. */
function stepAside({ sink }: Served, number: number, flight: Flight): void {
  if (!flight.aside) sink.taken('raw', number);
  flight.aside = true;
}

/** Delivered when nothing of the batch is left. */
function settle({ flights, sink }: Served, number: number, flight: Flight): void {
  if (flight.records.size > 0) return;
  flights.delete(number);
  sink.delivered('raw', [[number, number + 1]]);
}

const isForeign = (record: BatchRecord): record is BatchRecord & Foreign =>
  record.head['branch'] === 'foreign';
