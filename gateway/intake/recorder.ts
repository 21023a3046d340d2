import type { Cancel, Clock } from '../../model/clock.ts';
import type { Fault } from '../../model/fault.ts';
import { ObservationBatchBuilder, type BatchTrace, type Counters } from '../../journal/observation-batch.ts';
import { packRecords, type BatchRecord } from '../../journal/record-batch.ts';
import type { BodyFacts, Journal, JournalClass } from '../../journal/types.ts';
import { hourMs } from '../../journal/tally.ts';
import { lossesOf, type Ledger, type Loss } from './ledger.ts';
import { Tallies, type DeviceHour } from './tallies.ts';

export interface RecorderOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly ledger: Ledger;
  readonly counters: Counters;
  /** Group commit: a batch leaves when it is this old or this full. */
  readonly commitMs: number;
  readonly commitMessages: number;
  /** A commit that has not returned by then puts the door into the state *unrecorded*. */
  readonly unrecordedAfterMs: number;
  /** A writer that hangs this long is given up for a second one on new segments. */
  readonly replaceWriterAfterMs: number;
  readonly stateChanged: (recording: boolean, fault: Fault | undefined) => void;
  /** These devices have this on disk now. */
  readonly kept: (devices: BatchTrace) => void;
}

export type Confirm = () => void;

/** How often a lane that does not record tries one batch, and how often hung commits are looked for. */
const probeEveryMs = 1_000;
const watchEveryMs = 100;
const replacementBound = 3;
/** How long the first message of a batch waits for others while no commit is on its way. */
const calmWaitMs = 2;

/** A message by its identity; `boot` is the one it is kept under. */
export interface MessageName {
  readonly device: string;
  readonly boot: string;
  readonly seq: number;
}

interface Batch {
  readonly id: number;
  readonly handedAtMs: number;
  readonly observations: number;
  readonly confirms: Confirm[];
  readonly losses: () => readonly Loss[];
  readonly messages: () => readonly MessageName[];
  readonly trace: BatchTrace | undefined;
  /** Counters its body carries. */
  readonly carried: readonly DeviceHour[];
  /** Entered in the ledger and confirmed before its commit returned. */
  ledgered: boolean;
}

/**
 * Everything between a judged message and its confirmation: collects messages into batches, hands them to the
 * journal, confirms when they are on disk — and when the disk fails or hangs, enters them in the loss ledger and
 * confirms then (DESIGN promises 1 and 2). One lane a journal class; a message waits for its own class only.
 */
export class Recorder {
  private readonly options: RecorderOptions;
  /** Where the reader of observations puts them; `added` after each message. */
  readonly numerics = new ObservationBatchBuilder();
  private readonly contents = {
    alarm: new RecordContent(),
    raw: new RecordContent(),
    waveforms: new RecordContent(),
  };
  private readonly lanes: Readonly<Record<JournalClass, Lane>>;
  /** What each class counts by sender and hour; its bodies carry it. */
  readonly tallies: Readonly<Record<JournalClass, Tallies>>;
  private recordingNow = true;
  private replacements = 0;
  private readonly stopWatching: Cancel;

  constructor(options: RecorderOptions) {
    this.options = options;
    const run = Math.floor(options.clock.nowMs());
    this.tallies = {
      alarm: new Tallies(run),
      numerics: new Tallies(run),
      raw: new Tallies(run),
      waveforms: new Tallies(run),
    };
    const lane = (klass: JournalClass, open: Content): Lane =>
      new Lane(klass, open, {
        ...options,
        tallies: this.tallies[klass],
        changed: (fault) => this.changed(fault),
        countersWithin: (lane) => this.countersWithin(lane),
      });
    this.lanes = {
      numerics: lane('numerics', observationContent(this.numerics)),
      alarm: lane('alarm', this.contents.alarm),
      raw: lane('raw', this.contents.raw),
      waveforms: lane('waveforms', this.contents.waveforms),
    };
    this.stopWatching = options.clock.every(watchEveryMs, () => this.watch());
  }

  get recording(): boolean {
    return this.recordingNow;
  }

  /** A message was put into `numerics`. */
  added(): void {
    this.lanes.numerics.added();
  }

  /** Keeps a whole message. `loss` is what is lost, and how many observations it counts, should it not be kept. */
  record(klass: Exclude<JournalClass, 'numerics'>, record: BatchRecord, loss: Loss): void {
    this.contents[klass].add(record, loss);
    this.lanes[klass].added();
  }

  /** Calls back when everything added so far to these classes is on disk or in the ledger. */
  settled(classes: readonly JournalClass[], confirm: Confirm): void {
    if (classes.length === 0) return confirm();
    if (classes.length === 1) return this.lanes[classes[0] ?? 'numerics'].wait(confirm);
    let left = classes.length;
    const one = (): void => {
      left -= 1;
      if (left === 0) confirm();
    };
    for (const klass of classes) this.lanes[klass].wait(one);
  }

  /** Taken, but neither on disk nor in the ledger: a snapshot must not call these seen. */
  unsettled(): {
    readonly messages: readonly MessageName[];
    readonly kept: number;
    readonly received: number;
  } {
    let kept = 0;
    let received = 0;
    const messages: MessageName[] = [];
    for (const lane of this.all()) {
      const open = lane.unsettled();
      messages.push(...open.messages);
      kept += open.flying;
      received += open.flying + open.waiting;
    }
    return { messages, kept, received };
  }

  /** Seals what is open and waits until it is settled. */
  async drain(): Promise<void> {
    await Promise.all(this.all().map((lane) => new Promise<void>((done) => lane.flush(done))));
  }

  /** Writes the counters down as they are now; settles when they are on disk. */
  async noteCounters(): Promise<void> {
    for (const lane of this.all()) lane.noteCounters();
    await this.drain();
  }

  close(): void {
    this.stopWatching();
    for (const lane of this.all()) lane.close();
  }

  private all(): readonly Lane[] {
    return Object.values(this.lanes);
  }

  /** As a body of this lane carries them: what waits in the other lanes is not received yet, so that they balance. */
  private countersWithin(lane: Lane): Counters {
    const { counters } = this.options;
    const elsewhere = this.all().reduce((sum, other) => sum + (other === lane ? 0 : other.waiting), 0);
    return { ...counters, received: counters.received - elsewhere };
  }

  private watch(): void {
    const now = this.options.clock.monotonicMs();
    let oldest = 0;
    for (const lane of this.all()) oldest = Math.max(oldest, lane.watch(now));
    if (oldest < this.options.replaceWriterAfterMs || this.replacements >= replacementBound) return;
    this.replacements += 1;
    // The second writer is tried at once; what the first one has is heard when its system call returns.
    for (const lane of this.all()) lane.leaveBehind();
    this.options.journal.replaceWriter();
  }

  private changed(fault?: Fault): void {
    const recording = this.all().every((lane) => lane.recording);
    if (recording === this.recordingNow) return;
    this.recordingNow = recording;
    if (recording) {
      this.replacements = 0;
      void this.options.ledger.settle();
    }
    this.options.stateChanged(recording, fault);
  }
}

interface Trace {
  readonly losses: () => readonly Loss[];
  readonly messages: () => readonly MessageName[];
  readonly trace: BatchTrace | undefined;
}

/** What a lane collects: columns of observations, or whole records. */
interface Content {
  readonly messages: number;
  readonly observations: number;
  trace(): Trace;
  /** `atMs` is the time of a body without any message; `tail` goes behind it. */
  seal(with_: { counters: Counters; atMs: number; tail: Uint8Array }): { body: Uint8Array; facts: BodyFacts };
  discard(): void;
}

interface LaneOptions extends RecorderOptions {
  readonly tallies: Tallies;
  readonly changed: (fault?: Fault) => void;
  readonly countersWithin: (lane: Lane) => Counters;
}

class Lane {
  private readonly klass: JournalClass;
  private readonly options: LaneOptions;
  private readonly open: Content;
  private confirms: Confirm[] = [];
  private readonly flying: Batch[] = [];
  /** Batches of a writer that was given up; all of them are in the ledger. */
  private readonly behind = new Set<Batch>();
  private timer: Cancel | undefined;
  private lastProbeAtMs = -Infinity;
  recording = true;

  constructor(klass: JournalClass, open: Content, options: LaneOptions) {
    this.klass = klass;
    this.open = open;
    this.options = options;
  }

  wait(confirm: Confirm): void {
    if (this.open.messages > 0) this.confirms.push(confirm);
    else if (this.flying.length > 0) this.follow(confirm);
    else confirm();
  }

  /** Called after each added message. */
  added(): void {
    if (this.open.messages >= this.options.commitMessages) return this.leave();
    if (this.timer) return;
    // Nothing in flight: a moment for company, or each message of a calm ward costs a commit of its own.
    const waitMs =
      this.flying.length === 0 ? Math.min(calmWaitMs, this.options.commitMs) : this.options.commitMs;
    this.timer = this.options.clock.after(waitMs, () => this.leave());
  }

  flush(done: () => void): void {
    if (this.open.messages > 0) {
      this.confirms.push(done);
      this.leave();
    } else if (this.flying.length > 0) this.follow(done);
    else done();
  }

  /** Looks for a commit that hangs; answers the age of the oldest one, ms. */
  watch(now: number): number {
    const oldest = this.flying[0];
    // Nobody sends anything of this class: the disk is tried all the same.
    if (!oldest && !this.recording && now - this.lastProbeAtMs >= probeEveryMs) this.hand(now);
    if (!oldest) return 0;
    if (now - oldest.handedAtMs >= this.options.unrecordedAfterMs) {
      for (const batch of this.flying) this.giveUp(batch);
      this.unrecorded(undefined);
    }
    return now - oldest.handedAtMs;
  }

  /** The writer is given up: its batches are ledgered, and no longer stand in the way of the next writer's. */
  leaveBehind(): void {
    for (const batch of this.flying) {
      this.giveUp(batch);
      this.behind.add(batch);
    }
    this.flying.length = 0;
  }

  /** Writes the counters down as they are now: those of the whole door, and those of its own that no body carries yet. */
  noteCounters(): void {
    if (!this.recording) return;
    const due = this.klass === 'numerics' || !this.options.tallies.empty;
    if (due) this.hand(this.options.clock.monotonicMs());
  }

  close(): void {
    this.timer?.();
  }

  /** Observations not handed over yet. */
  get waiting(): number {
    return this.open.observations;
  }

  unsettled(): { messages: readonly MessageName[]; flying: number; waiting: number } {
    const flying = this.flying.filter((batch) => !batch.ledgered);
    return {
      messages: [...flying.flatMap((batch) => batch.messages()), ...this.open.trace().messages()],
      flying: flying.reduce((sum, batch) => sum + batch.observations, 0),
      waiting: this.open.observations,
    };
  }

  /** Settles after the newest batch in flight: commits of a class return in order. */
  private follow(confirm: Confirm): void {
    const newest = this.flying.at(-1);
    if (!newest || newest.ledgered) confirm();
    else newest.confirms.push(confirm);
  }

  private leave(): void {
    this.timer?.();
    this.timer = undefined;
    if (this.open.messages === 0) return;
    const now = this.options.clock.monotonicMs();
    const mayTry = this.recording || (this.flying.length === 0 && now - this.lastProbeAtMs >= probeEveryMs);
    if (!mayTry) return this.ledgerOpen();
    this.hand(now);
  }

  /** Between two tries of a disk that refuses. */
  private ledgerOpen(): void {
    const { confirms } = this;
    const { losses } = this.open.trace();
    this.confirms = [];
    this.options.counters.ledgered += this.open.observations;
    this.open.discard();
    this.options.ledger.enter(this.withCounts(losses()));
    for (const confirm of confirms) confirm();
  }

  /** Hands what is open to the journal; nothing at all is a batch too, with the counters alone. */
  private hand(now: number): void {
    this.lastProbeAtMs = now;
    const { confirms } = this;
    const { observations } = this.open;
    this.confirms = [];
    const { losses, messages, trace } = this.open.trace();
    const { tail, rows } = this.options.tallies.take();
    const batch: Batch = {
      id: ++ids,
      handedAtMs: now,
      observations,
      confirms,
      losses,
      messages,
      trace,
      carried: rows,
      ledgered: false,
    };
    // Counted as kept when handed over, so that the counters within the body include the body itself.
    this.options.counters.kept += observations;
    const counters = this.options.countersWithin(this);
    const { body, facts } = this.open.seal({ counters, atMs: this.options.clock.nowMs(), tail });
    this.flying.push(batch);
    if (!this.recording) this.giveUp(batch);
    this.options.journal.append(this.klass, body, facts, (outcome) => this.returned(batch, outcome));
  }

  private returned(batch: Batch, outcome: 'kept' | Fault): void {
    const left = this.behind.delete(batch);
    const at = this.flying.indexOf(batch);
    if (at >= 0) this.flying.splice(at, 1);
    if (outcome === 'kept') this.keep(batch);
    else {
      this.giveUp(batch);
      this.options.ledger.fail(batch.id);
    }
    // What a writer given up says tells nothing of the one that writes now.
    if (left) return;
    if (!batch.ledgered) for (const confirm of batch.confirms) confirm();
    if (outcome !== 'kept') this.unrecorded(outcome);
    else if (!this.recording && this.flying.length === 0) this.recordingAgain();
    if (this.flying.length === 0 && this.open.messages > 0) this.leave();
  }

  /** On disk after all, however late: then it stands in no ledger. */
  private keep(batch: Batch): void {
    const { counters, ledger } = this.options;
    if (batch.ledgered) {
      ledger.strike(batch.id);
      counters.ledgered -= batch.observations;
      counters.kept += batch.observations;
    }
    if (batch.trace) this.options.kept(batch.trace);
  }

  /** Enters a batch in the ledger and confirms it: its devices go on. */
  private giveUp(batch: Batch): void {
    if (batch.ledgered) return;
    batch.ledgered = true;
    this.options.counters.kept -= batch.observations;
    this.options.counters.ledgered += batch.observations;
    this.options.tallies.putBack(batch.carried);
    this.options.ledger.hold(batch.id, this.withCounts(batch.losses()));
    for (const confirm of batch.confirms) confirm();
  }

  /** The lines say what was counted by then, should no later body be kept to say it. */
  private withCounts(losses: readonly Loss[]): Loss[] {
    const { klass } = this;
    const { tallies } = this.options;
    return losses.map((loss) => {
      const hour = tallies.of(loss.device, Math.floor(loss.fromMs / hourMs));
      if (!hour) return { ...loss, klass };
      const { received, duplicate, historical, quarantined } = hour;
      const counted = { run: tallies.run, received, duplicate, historical, quarantined };
      return { ...loss, klass, counted };
    });
  }

  private unrecorded(fault: Fault | undefined): void {
    if (!this.recording) return;
    this.recording = false;
    this.options.changed(fault);
  }

  private recordingAgain(): void {
    this.recording = true;
    this.options.changed();
  }
}

let ids = 0;

const observationContent = (builder: ObservationBatchBuilder): Content => ({
  get messages() {
    return builder.messages;
  },
  get observations() {
    return builder.observations;
  },
  trace: () => {
    const trace = builder.trace();
    return { losses: () => lossesOf(trace, 'unrecorded'), messages: () => messagesOf(trace), trace };
  },
  seal: ({ counters, atMs, tail }) => {
    const { messages, observations } = builder;
    const [firstAtMs, lastAtMs] = messages > 0 ? [builder.firstAtMs, builder.lastAtMs] : [atMs, atMs];
    return { facts: { messages, observations, firstAtMs, lastAtMs }, body: builder.seal(counters, tail) };
  },
  discard: () => builder.discard(),
});

class RecordContent implements Content {
  private records: BatchRecord[] = [];
  private losses: Loss[] = [];
  observations = 0;

  get messages(): number {
    return this.records.length;
  }

  add(record: BatchRecord, loss: Loss): void {
    this.records.push(record);
    this.losses.push(loss);
    this.observations += loss.observations;
  }

  trace(): Trace {
    const { losses, records } = this;
    return { losses: () => losses, messages: () => records.flatMap(nameOf), trace: undefined };
  }

  seal({ atMs, tail }: { atMs: number; tail: Uint8Array }): { body: Uint8Array; facts: BodyFacts } {
    const facts = {
      messages: this.messages,
      observations: this.observations,
      firstAtMs: this.losses.reduce((first, loss) => Math.min(first, loss.fromMs), atMs),
      lastAtMs: this.losses.reduce((last, loss) => Math.max(last, loss.toMs), this.losses[0]?.toMs ?? atMs),
    };
    const body = packRecords(this.records, tail);
    this.discard();
    return { body, facts };
  }

  discard(): void {
    this.records = [];
    this.losses = [];
    this.observations = 0;
  }
}

const nameOf = ({ head }: BatchRecord): MessageName[] => {
  const { device, boot, seq } = head as Partial<MessageName>;
  return device !== undefined && boot !== undefined && seq !== undefined ? [{ device, boot, seq }] : [];
};

function messagesOf(trace: BatchTrace): MessageName[] {
  const decoder = new TextDecoder();
  const names = trace.devices.map(({ bytes }) => decoder.decode(bytes).split('\u0000'));
  return Array.from(trace.seq, (seq, at) => {
    const [device = '', boot = ''] = names[trace.device[at] ?? 0] ?? [];
    return { device, boot, seq };
  });
}
