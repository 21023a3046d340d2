/**
 * The observations not yet in the database, in order of arrival: one set of typed columns for all series, so that
 * a body is mostly copied whole and memory has one bound.
 */
import { flagsUnplaced, kinds, flagsKind, type ObservationBatch } from '../../journal/observation-batch.ts';
import { Dictionary, type Columns, type TextValue } from './columns.ts';
import { notSeen, inDatabase, type LatestRow, type SeriesBook } from './series-book.ts';

const noKeys = new Uint32Array(0);

export class Head {
  readonly capacity: number;
  length = 0;
  messages = 0;
  /** Times of the observations in it; From above To when it is empty. */
  fromMs = Infinity;
  toMs = -Infinity;
  textChars = 0;
  series: Uint32Array;
  message: Uint32Array;
  taken: Float64Array;
  value: Float64Array;
  textAt: Uint32Array;
  flags: Uint8Array;
  reason: Uint8Array;
  private seq = new Float64Array(1 << 14);
  private received = new Float64Array(1 << 14);
  private boot = new Uint32Array(1 << 14);
  private readonly boots = new Dictionary();
  private readonly texts: TextValue[] = [];
  private keyNumbers = noKeys;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.series = new Uint32Array(capacity);
    this.message = new Uint32Array(capacity);
    this.taken = new Float64Array(capacity);
    this.value = new Float64Array(capacity);
    this.textAt = new Uint32Array(capacity);
    this.flags = new Uint8Array(capacity);
    this.reason = new Uint8Array(capacity);
  }

  fits(batch: ObservationBatch): boolean {
    return this.length + batch.observations <= this.taken.length;
  }

  append(batch: ObservationBatch, book: SeriesBook): void {
    this.reserve(batch);
    const start = this.length;
    this.taken.set(batch.takenAtMs, start);
    this.value.set(batch.value, start);
    this.flags.set(batch.flags, start);
    this.reason.set(batch.reason, start);
    if (this.keyNumbers.length < batch.keys.length) this.keyNumbers = new Uint32Array(batch.keys.length * 2);
    for (let key = 0; key < batch.keys.length; key++) this.keyNumbers[key] = book.key(batch.keys[key] ?? '');
    if (batch.texts.length > 0) this.appendTexts(batch, start);
    this.appendMessages(batch, book);
    this.length = start + batch.observations;
  }

  /** The hot loop: a few typed loads and stores an observation. */
  private appendMessages(batch: ObservationBatch, book: SeriesBook): void {
    const { keyIndex, count, deviceIndex } = batch;
    const { series, message, taken, flags, keyNumbers } = this;
    let row = this.length;
    let from = 0;
    let { fromMs, toMs } = this;
    const senders = batch.devices.map(({ device, boot }) => ({
      device: book.device(device),
      boot: this.boots.number(boot),
    }));
    for (let at = 0; at < batch.messages; at++) {
      const sender = senders[deviceIndex[at] ?? 0];
      if (!sender) throw new RangeError('a message of no device');
      const { device } = sender;
      const place = this.messages++;
      const received = batch.receivedAtMs[at] ?? 0;
      this.seq[place] = batch.seq[at] ?? 0;
      this.received[place] = received;
      this.boot[place] = sender.boot;
      for (const end = from + (count[at] ?? 0); from < end; from++, row++) {
        const key = keyNumbers[keyIndex[from] ?? 0] ?? 0;
        const id = device.byKey[key] ?? book.make(device, batch.keys[keyIndex[from] ?? 0] ?? '');
        series[row] = id;
        message[row] = place;
        let instant = taken[row] ?? 0;
        if (!Number.isFinite(instant)) {
          instant = taken[row] = received;
          flags[row] = (flags[row] ?? 0) | unplacedBit;
        }
        if (instant < fromMs) fromMs = instant;
        if (instant > toMs) toMs = instant;
        if (instant >= (book.newestTaken[id] ?? 0) && !flagsUnplaced(flags[row] ?? 0))
          this.renew(book, id, row);
      }
    }
    this.fromMs = fromMs;
    this.toMs = toMs;
  }

  /** Of two of the same instant the one received later is the newest. */
  private renew(book: SeriesBook, id: number, row: number): void {
    const instant = this.taken[row] ?? 0;
    const at = book.newestAt[id] ?? 0;
    if (at !== notSeen && instant === (book.newestTaken[id] ?? 0)) {
      const before =
        at === inDatabase
          ? (book.latest[id]?.receivedAtMs ?? 0)
          : (this.received[this.message[at] ?? 0] ?? 0);
      if (before > (this.received[this.message[row] ?? 0] ?? 0)) return;
    }
    book.newestTaken[id] = instant;
    book.newestAt[id] = row;
  }

  private appendTexts(batch: ObservationBatch, start: number): void {
    let next = 0;
    for (let at = 0; at < batch.observations; at++) {
      if (flagsKind(batch.flags[at] ?? 0) < kinds.code) continue;
      const text = batch.texts[next++] ?? '';
      this.textAt[start + at] = this.texts.push(text) - 1;
      this.textChars += typeof text === 'string' ? text.length : text[0].length + text[1].length;
    }
  }

  /** Appends row `row` to the columns of its series. */
  copyTo(target: Columns, row: number): void {
    target.reserve(1);
    const at = target.length++;
    const message = this.message[row] ?? 0;
    target.taken[at] = this.taken[row] ?? 0;
    target.received[at] = this.received[message] ?? 0;
    target.value[at] = this.value[row] ?? 0;
    target.seq[at] = this.seq[message] ?? 0;
    target.boot[at] = target.boots.number(this.boots.word(this.boot[message] ?? 0));
    const flags = this.flags[row] ?? 0;
    target.flags[at] = flags;
    target.reason[at] = this.reason[row] ?? 0;
    if (flagsKind(flags) >= kinds.code)
      target.textAt[at] = target.texts.push(this.texts[this.textAt[row] ?? 0] ?? '') - 1;
  }

  /** Replaces the rows of `target` by the given ones, all of one series; its dictionary of boots goes on. */
  gather(target: Columns, rows: Uint32Array): void {
    target.length = 0;
    target.texts.length = 0;
    target.reserve(rows.length);
    let known = -1;
    let boot = 0;
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] ?? 0;
      const message = this.message[row] ?? 0;
      if (this.boot[message] !== known) {
        known = this.boot[message] ?? 0;
        boot = target.boots.number(this.boots.word(known));
      }
      const flags = this.flags[row] ?? 0;
      target.taken[at] = this.taken[row] ?? 0;
      target.received[at] = this.received[message] ?? 0;
      target.value[at] = this.value[row] ?? 0;
      target.seq[at] = this.seq[message] ?? 0;
      target.boot[at] = boot;
      target.flags[at] = flags;
      target.reason[at] = this.reason[row] ?? 0;
      if (flagsKind(flags) >= kinds.code)
        target.textAt[at] = target.texts.push(this.texts[this.textAt[row] ?? 0] ?? '') - 1;
    }
    target.length = rows.length;
  }

  latestRow(row: number): LatestRow {
    const message = this.message[row] ?? 0;
    const flags = this.flags[row] ?? 0;
    return {
      takenAtMs: this.taken[row] ?? 0,
      receivedAtMs: this.received[message] ?? 0,
      value: this.value[row] ?? 0,
      flags,
      reason: this.reason[row] ?? 0,
      seq: this.seq[message] ?? 0,
      boot: this.boots.word(this.boot[message] ?? 0),
      text: flagsKind(flags) >= kinds.code ? this.texts[this.textAt[row] ?? 0] : undefined,
    };
  }

  clear(): void {
    this.length = 0;
    this.messages = 0;
    this.fromMs = Infinity;
    this.toMs = -Infinity;
    this.textChars = 0;
    this.boots.clear();
    this.texts.length = 0;
    if (this.taken.length > this.capacity) this.resize(this.capacity);
  }

  /** A body larger than the whole head makes it grow until it is emptied again. */
  private reserve(batch: ObservationBatch): void {
    if (this.length + batch.observations > this.taken.length) this.resize(this.length + batch.observations);
    const messages = this.messages + batch.messages;
    if (messages <= this.seq.length) return;
    const size = Math.max(messages, this.seq.length * 2);
    this.seq = resized(this.seq, new Float64Array(size));
    this.received = resized(this.received, new Float64Array(size));
    this.boot = resized(this.boot, new Uint32Array(size));
  }

  private resize(size: number): void {
    const keep = this.length;
    this.series = resized(this.series.subarray(0, keep), new Uint32Array(size));
    this.message = resized(this.message.subarray(0, keep), new Uint32Array(size));
    this.taken = resized(this.taken.subarray(0, keep), new Float64Array(size));
    this.value = resized(this.value.subarray(0, keep), new Float64Array(size));
    this.textAt = resized(this.textAt.subarray(0, keep), new Uint32Array(size));
    this.flags = resized(this.flags.subarray(0, keep), new Uint8Array(size));
    this.reason = resized(this.reason.subarray(0, keep), new Uint8Array(size));
  }
}

const unplacedBit = 32;

function resized<C extends Float64Array | Uint32Array | Uint8Array>(from: C, to: C): C {
  to.set(from);
  return to;
}
