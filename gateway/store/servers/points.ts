/** Observations of a journal batch as lines of line protocol, and what the loss ledger must know of each. */
import {
  flagsHistorical,
  flagsKind,
  flagsUnplaced,
  flagsValidity,
  kinds,
  unpackReason,
  type ObservationBatch,
} from '../../../journal/observation-batch.ts';
import { splitKey, validities } from '../../../model/observation.ts';
import { labelInLine, textInLine } from './names.ts';
import { bootSlot, MillisecondPlaces, nanoseconds, slotOf } from './place-in-time.ts';

/** What tells where an observation of the batch came from. */
export interface Origin {
  readonly device: string;
  readonly metric: string;
  readonly receivedAtMs: number;
}

export interface PointsOptions {
  readonly measurement: string;
  /** `texts`: texts, codes and nanoseconds (InfluxDB). `numbers`: numbers and milliseconds (VictoriaMetrics). */
  readonly as: 'texts' | 'numbers';
}

/** What a server of numbers holds of an observation, each a metric of its own. */
export const numberFields = ['value', 'validity', 'reason', 'receivedAtMs', 'historical', 'seq'] as const;

/** Observations without a usable time stand in a measurement of their own, so that no figure counts them. */
export const unplacedMeasurement = (measurement: string): string => `${measurement}_unplaced`;

/** Makes lines; the places of a server of milliseconds are remembered across batches. */
export class Points {
  private readonly options: PointsOptions;
  private readonly places = new MillisecondPlaces();

  constructor(options: PointsOptions) {
    this.options = options;
  }

  of(batch: ObservationBatch): BatchPoints {
    return new BatchPoints(batch, this.options, this.places);
  }
}

interface Sender {
  readonly device: string;
  readonly label: string;
  /** Field and slot of the boot. */
  readonly boot: string;
  readonly slot: number;
}

/** Goes through one batch, observation by observation; a place in it can be returned to. */
export class BatchPoints {
  readonly observations: number;
  private readonly batch: ObservationBatch;
  private readonly options: PointsOptions;
  private readonly places: MillisecondPlaces;
  private readonly senders: readonly Sender[];
  private readonly keys: readonly {
    readonly metric: string;
    readonly channel: string;
    readonly label: string;
  }[];
  private readonly heads = new Map<number, string>();
  /** Message, text and first observation of that message, by observation: made as the batch is gone through. */
  private readonly messageOf: Uint32Array;
  private readonly textAt: Uint32Array;

  constructor(batch: ObservationBatch, options: PointsOptions, places: MillisecondPlaces) {
    this.batch = batch;
    this.options = options;
    this.places = places;
    this.observations = batch.observations;
    const numbers = options.as === 'numbers';
    this.senders = batch.devices.map(({ device, boot }) => ({
      device,
      label: `device=${labelInLine(device)}`,
      boot: numbers ? labelInLine(boot) : textInLine(boot),
      slot: bootSlot(boot),
    }));
    this.keys = batch.keys.map((key) => {
      const { metric, channel } = splitKey(key);
      return {
        metric,
        channel: channel === undefined ? '' : `channel=${labelInLine(channel)},`,
        label: `metric=${labelInLine(metric)}`,
      };
    });
    this.messageOf = new Uint32Array(batch.observations);
    this.textAt = new Uint32Array(batch.observations);
    this.index();
  }

  /** Undefined: this server does not hold such an observation (a text where there are only numbers). */
  line(at: number): string | undefined {
    const flags = this.batch.flags[at] ?? 0;
    const fields = this.options.as === 'texts' ? this.texts(at, flags) : this.numbers(at, flags);
    if (fields === undefined) return undefined;
    const head = this.head(at, flags);
    const time = this.time(at, head);
    return this.options.as === 'texts'
      ? `${head} ${fields} ${time}`
      : `${head} ${fields} ${time}\n${this.seqLine(at, head, time)}`;
  }

  origin(at: number): Origin {
    const { batch } = this;
    const message = this.messageOf[at] ?? 0;
    return {
      device: this.senders[batch.deviceIndex[message] ?? 0]?.device ?? '',
      metric: batch.keys[batch.keyIndex[at] ?? 0] ?? '',
      receivedAtMs: batch.receivedAtMs[message] ?? 0,
    };
  }

  private index(): void {
    const { count, flags, messages } = this.batch;
    let at = 0;
    let text = 0;
    for (let message = 0; message < messages; message++) {
      for (const end = at + (count[message] ?? 0); at < end; at++) {
        this.messageOf[at] = message;
        this.textAt[at] = text;
        if (flagsKind(flags[at] ?? 0) >= kinds.code) text++;
      }
    }
  }

  /** Measurement and labels, in the order of their names. */
  private head(at: number, flags: number): string {
    const { batch, options } = this;
    const sender = batch.deviceIndex[this.messageOf[at] ?? 0] ?? 0;
    const key = batch.keyIndex[at] ?? 0;
    const unplaced = this.isUnplaced(at, flags);
    const place = (sender * batch.keys.length + key) * 2 + (unplaced ? 1 : 0);
    let head = this.heads.get(place);
    if (head === undefined) {
      const { measurement } = options;
      const name = unplaced ? unplacedMeasurement(measurement) : measurement;
      const named = this.keys[key];
      head = `${name},${named?.channel ?? ''}${this.senders[sender]?.label ?? ''},${named?.label ?? ''}`;
      this.heads.set(place, head);
    }
    return head;
  }

  private texts(at: number, flags: number): string {
    const { batch } = this;
    const message = this.messageOf[at] ?? 0;
    const sender = this.senders[batch.deviceIndex[message] ?? 0];
    const text = batch.texts[this.textAt[at] ?? 0] ?? '';
    const reason = unpackReason(batch.reason[at] ?? 0);
    return fieldsOf(
      this.number(at, flags),
      flagsKind(flags) === kinds.text && `text=${textInLine(String(text))}`,
      flagsKind(flags) === kinds.code &&
        `code=${textInLine(text[0] ?? '')},system=${textInLine(text[1] ?? '')}`,
      `validity="${flagsValidity(flags)}"`,
      reason !== undefined && `reason="${reason}"`,
      `boot=${sender?.boot ?? '""'}`,
      `seq=${batch.seq[message] ?? 0}i`,
      `receivedAtMs=${Math.floor(batch.receivedAtMs[message] ?? 0)}i`,
      flagsHistorical(flags) && 'historical=true',
    );
  }

  private numbers(at: number, flags: number): string | undefined {
    if (flagsKind(flags) >= kinds.code) return undefined;
    const { batch } = this;
    const message = this.messageOf[at] ?? 0;
    const reason = batch.reason[at] ?? 0;
    return fieldsOf(
      this.number(at, flags),
      `validity=${validities.indexOf(flagsValidity(flags))}`,
      reason > 0 && `reason=${reason}`,
      `receivedAtMs=${Math.floor(batch.receivedAtMs[message] ?? 0)}`,
      flagsHistorical(flags) && 'historical=1',
    );
  }

  /** The boot id is a text: where there are only numbers it is a label, of `seq` alone so that no other series ends with it. */
  private seqLine(at: number, head: string, time: string): string {
    const { batch } = this;
    const message = this.messageOf[at] ?? 0;
    const boot = this.senders[batch.deviceIndex[message] ?? 0]?.boot ?? '';
    return `${head},boot=${boot} seq=${batch.seq[message] ?? 0} ${time}`;
  }

  private number(at: number, flags: number): string | false {
    const value = this.batch.value[at] ?? NaN;
    return flagsKind(flags) === kinds.number && Number.isFinite(value) && `value=${value}`;
  }

  private time(at: number, head: string): string {
    const { batch } = this;
    const message = this.messageOf[at] ?? 0;
    const seq = batch.seq[message] ?? 0;
    const told = batch.takenAtMs[at] ?? NaN;
    const takenAtMs = Number.isFinite(told) ? told : (batch.receivedAtMs[message] ?? 0);
    const sender = this.senders[batch.deviceIndex[message] ?? 0];
    if (this.options.as === 'texts') return nanoseconds(takenAtMs, slotOf(sender?.slot ?? 0, seq));
    return String(this.places.place(head, takenAtMs, `${sender?.boot ?? ''} ${seq}`));
  }

  private isUnplaced(at: number, flags: number): boolean {
    return flagsUnplaced(flags) || !Number.isFinite(this.batch.takenAtMs[at] ?? NaN);
  }
}

const fieldsOf = (...fields: readonly (string | false)[]): string =>
  fields.filter((field) => field !== false).join(',');
