import { Compile } from 'typebox/compile';
import type { Topic } from '../../broker/topics.ts';
import type { Clock } from '../../model/clock.ts';
import { Fault, type FaultReport } from '../../model/fault.ts';
import { seriesKey } from '../../model/observation.ts';
import { AlertsSchema, StateSchema, type AlertsMessage, type StateMessage } from '../../model/wire.ts';
import { isObservationBatch, readObservationBatch, type Counters } from '../../journal/observation-batch.ts';
import { isRecordBatch, readRecords } from '../../journal/record-batch.ts';
import type { Journal, JournalClass } from '../../journal/types.ts';
import { Digest } from './digest.ts';
import type { Ledger, Loss } from './ledger.ts';
import { LiveDevice, ownerOf } from './live-device.ts';
import { ObservationReader, type CorrectedTo } from './observations.ts';
import { rawOf, type QuarantineCause } from './quarantine.ts';
import { Recorder, type Confirm, type RecorderOptions } from './recorder.ts';
import type { Entered } from './seen.ts';
import { packSeen, unpackSeen } from './snapshot.ts';
import type { DeviceHour } from './tallies.ts';
import type { StoredRow } from '../store/types.ts';
import type { IntakeListeners } from './types.ts';
import { readWaveform } from './waveform.ts';
import { waveHead, type WaveHead } from './wave-head.ts';

export const elementBound = 256;
/** Waveforms of one device, by metric and channel. */
export const waveBound = 64;
/** A quarantined element is kept up to this many bytes. */
export const quarantineTextBound = 64 * 1024;

export interface IntakeOptions extends Pick<
  RecorderOptions,
  'clock' | 'commitMs' | 'commitMessages' | 'unrecordedAfterMs' | 'replaceWriterAfterMs'
> {
  readonly journal: Journal;
  readonly ledger: Ledger;
  readonly counters: Counters;
  readonly listeners: IntakeListeners;
  /** *recording* or *unrecorded*: a technical alarm and the health page say so. */
  readonly recordingChanged: (recording: boolean, fault: Fault | undefined) => void;
  /** Something about a device that a biomedical engineer should know. */
  readonly deviceFault: (device: string, fault: Fault) => void;
}

export interface DevicePublication {
  readonly topic: Topic & { readonly kind: 'device' };
  readonly payload: Uint8Array;
  readonly will: boolean;
}

const doubtsWithinMs = 2_000;

const alertsCheck = Compile(AlertsSchema);
const stateCheck = Compile(StateSchema);

/**
 * The gateway's half of the front door: what an authorised device published is parsed, freed of duplicates, judged
 * and handed to the journal in one tick; `confirm` runs when it is on disk or in the loss ledger.
 */
export class Intake {
  private readonly options: IntakeOptions;
  private readonly clock: Clock;
  private readonly devices = new Map<string, LiveDevice>();
  private readonly recorder: Recorder;
  private readonly reader: ObservationReader;
  private readonly digest = new Digest();
  /** Classes that the publication being read has put something into. */
  private readonly touched = new Set<JournalClass>();

  constructor(options: IntakeOptions) {
    this.options = options;
    this.clock = options.clock;
    this.recorder = new Recorder({
      ...options,
      stateChanged: (recording, fault) => options.recordingChanged(recording, fault),
      kept: (trace) => {
        const last = new Float64Array(trace.devices.length);
        for (let at = 0; at < trace.device.length; at++)
          last[trace.device[at] ?? 0] = trace.receivedAtMs[at] ?? 0;
        for (const [index, name] of trace.devices.entries()) {
          const device = ownerOf(name);
          if (device) device.lastKeptAtMs = Math.max(device.lastKeptAtMs ?? 0, last[index] ?? 0);
        }
      },
    });
    this.reader = new ObservationReader({
      builder: this.recorder.numerics,
      counters: options.counters,
      tallies: this.recorder.tallies.numerics,
      listeners: options.listeners,
      added: () => {
        this.touched.add('numerics');
        this.recorder.added();
      },
      repeated: () => void this.touched.add('numerics'),
      quarantine: (device, cause, payload, atMs) =>
        this.quarantine(device, 'observations', cause, payload, atMs),
      entered: (device, entered) => this.entered(device, entered),
    });
  }

  get recording(): boolean {
    return this.recorder.recording;
  }

  device(id: string): LiveDevice | undefined {
    return this.devices.get(id);
  }

  all(): IterableIterator<LiveDevice> {
    return this.devices.values();
  }

  take(publication: DevicePublication, confirm: Confirm): void {
    const receivedAtMs = this.clock.nowMs();
    const device = this.open(publication.topic.device);
    if (device.spanInDoubt) this.enterDoubt(device, receivedAtMs);
    device.lastMessageAtMs = receivedAtMs;
    this.touched.clear();
    this.read(device, publication, receivedAtMs);
    if (this.touched.size === 1 && this.touched.has('numerics'))
      return this.recorder.settled(numericsOnly, confirm);
    this.recorder.settled([...this.touched], confirm);
  }

  /** A message of a device that speaks MQTT of its own kind: kept whole, decoded elsewhere; it counts as no observation. */
  takeForeign(
    head: { readonly device: string; readonly receivedAtMs: number },
    message: { readonly payload: Uint8Array; readonly confirmed: boolean },
    settled: Confirm,
  ): void {
    const { device: id, receivedAtMs: atMs } = head;
    this.open(id).confirmed = message.confirmed;
    const loss = {
      device: id,
      metric: '*',
      fromMs: atMs,
      toMs: atMs,
      observations: 0,
      why: 'unrecorded' as const,
    };
    // A copy: it stands in the open batch beside its neighbours' memory.
    this.recorder.record('raw', { head: { ...head }, payload: Uint8Array.from(message.payload) }, loss);
    this.recorder.settled(['raw'], settled);
  }

  /** The host that spoke for these devices died: each of them is lost. */
  hostLost(devices: Iterable<string>, fault: FaultReport | undefined): void {
    const atMs = this.clock.nowMs();
    for (const id of devices) {
      const device = this.devices.get(id);
      if (!device || device.link === 'lost') continue;
      device.link = 'lost';
      this.options.listeners.deviceState(id, { link: 'lost', fault }, atMs);
    }
  }

  /** Restores what was taken before, from the journal; then every device's span since then is in doubt if unclean. */
  async recover(): Promise<void> {
    const { journal } = this.options;
    await journal.recover((_klass, number, body) => {
      if (number < 0) {
        this.goOnFrom(unpackSeen(body, (id) => this.open(id)));
      } else if (isObservationBatch(body)) this.restoreObservations(body);
      else if (isRecordBatch(body)) this.restoreRecords(body);
    });
    if (!journal.found.clean) await this.enterDoubts();
  }

  /**
   * What each device sent since its last kept observation is possibly lost: entered before the door opens, so that no
   * second crash takes the doubt with it; its first message says where the span ends. A disk that hangs is not waited for.
   */
  private async enterDoubts(): Promise<void> {
    const { ledger, clock } = this.options;
    const atMs = clock.nowMs();
    for (const device of this.devices.values()) {
      device.spanInDoubt = device.lastKeptAtMs !== undefined;
      if (device.spanInDoubt) ledger.enter([this.doubt(device, atMs)]);
    }
    let stopWaiting: () => void = () => undefined;
    await Promise.race([
      ledger.written(),
      new Promise<void>((done) => void (stopWaiting = clock.after(doubtsWithinMs, done))),
    ]);
    stopWaiting();
  }

  /** The newest values of before the start, from the store: shown with their age until the devices speak again. */
  restoreLatest(rows: readonly StoredRow[]): void {
    for (const row of rows) this.reader.restoreLatest(this.open(row.device), row);
  }

  /** A charted value was corrected or retracted: what is shown as its newest follows. */
  corrected(
    name: { device: string; metric: string; channel?: string; takenAtMs: number },
    now: CorrectedTo | undefined,
  ): void {
    const device = this.devices.get(name.device);
    if (device) this.reader.corrected(device, seriesKey(name.metric, name.channel), name.takenAtMs, now);
    this.options.listeners.messageTaken(name.device, this.clock.nowMs());
  }

  snapshot(): Uint8Array {
    const { messages, kept, received } = this.recorder.unsettled();
    const { counters } = this.options;
    const settled = { ...counters, kept: counters.kept - kept, received: counters.received - received };
    return packSeen(this.devices.values(), settled, messages);
  }

  drain(): Promise<void> {
    return this.recorder.drain();
  }

  /** Writes the counters down as they are at an orderly stop: some change when a batch returns, after its body. */
  noteCounters(): Promise<void> {
    return this.recorder.noteCounters();
  }

  close(): void {
    this.recorder.close();
  }

  private read(device: LiveDevice, { topic, payload, will }: DevicePublication, receivedAtMs: number): void {
    let parsed: unknown;
    try {
      parsed = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('utf8'));
    } catch {
      return this.refuse(device, topic.branch, 'not-json', payload, receivedAtMs);
    }
    if (!Array.isArray(parsed)) return this.element(device, topic.branch, parsed, receivedAtMs, will);
    if (parsed.length > elementBound)
      return this.refuse(device, topic.branch, 'too-many-elements', payload, receivedAtMs);
    for (const element of parsed) this.element(device, topic.branch, element, receivedAtMs, will);
  }

  private element(
    device: LiveDevice,
    branch: DevicePublication['topic']['branch'],
    element: unknown,
    receivedAtMs: number,
    will: boolean,
  ): void {
    switch (branch) {
      case 'observations':
        return this.reader.read(device, element, receivedAtMs);
      case 'alerts':
        return this.alerts(device, element, receivedAtMs);
      case 'waveforms':
        return this.waveform(device, element, receivedAtMs);
      case 'state':
        return this.state(device, element, receivedAtMs, will);
      default:
        branch satisfies never;
    }
  }

  private alerts(device: LiveDevice, element: unknown, receivedAtMs: number): void {
    if (!alertsCheck.Check(element))
      return this.refuse(device, 'alerts', 'bad-alert', rawOf(element), receivedAtMs);
    const message: AlertsMessage = element;
    const count = message.alerts.length;
    const placed = { takenAtMs: 0, historical: false, doubtful: false, unplaced: false };
    if (
      !this.keepWhole(device, message, {
        klass: 'alarm',
        branch: 'alerts',
        observations: count,
        receivedAtMs,
        payload: rawOf(message),
        place: () => true,
      })
    )
      return;
    device.clock.place(
      message.takenAtMs ?? NaN,
      message.ageMs ?? NaN,
      message.historical === true,
      receivedAtMs,
      placed,
    );
    if (placed.historical) return;
    this.options.listeners.messageTaken(device.id, receivedAtMs);
    this.options.listeners.alerts(device.id, message.alerts, message.complete, placed.takenAtMs);
  }

  /** Samples are kept as bytes, with their place in time, in the class that is thinned first. */
  private waveform(device: LiveDevice, element: unknown, receivedAtMs: number): void {
    const read = readWaveform(element);
    if (!read) return this.refuse(device, 'waveforms', 'bad-waveform', rawOf(element), receivedAtMs);
    const { message, bytes } = read;
    const { waves } = device;
    waves.add(seriesKey(message.metric, message.channel));
    if (waves.size > waveBound) {
      waves.delete(seriesKey(message.metric, message.channel));
      return this.refuse(device, 'waveforms', 'too-many-series', rawOf(element), receivedAtMs);
    }
    const placed = { takenAtMs: 0, historical: false, doubtful: false, unplaced: false };
    const { takenAtMs, ageMs = NaN, historical = false } = message;
    const place = (): WaveHead => {
      device.clock.place(takenAtMs, ageMs, historical, receivedAtMs, placed);
      return waveHead(message, placed, { mode: device.mode, samples: bytes.length / 2 });
    };
    const wave = this.keepWhole(device, message, {
      klass: 'waveforms',
      branch: 'waveforms',
      observations: 1,
      receivedAtMs,
      payload: bytes,
      place,
    });
    if (!wave || placed.historical) return;
    this.options.listeners.messageTaken(device.id, receivedAtMs);
    this.options.listeners.waveform(device.id, wave, bytes);
  }

  /**
   * Recognises duplicates of a message that is kept whole, and hands it to the journal with its place in time, if it is
   * to have one (a duplicate says nothing of its device's clock). Undefined for a duplicate.
   */
  private keepWhole<P>(
    device: LiveDevice,
    message: Pick<AlertsMessage, 'boot' | 'seq' | 'historical' | 'takenAtMs'>,
    whole: {
      klass: 'alarm' | 'waveforms';
      branch: string;
      observations: number;
      receivedAtMs: number;
      payload: Uint8Array;
      place: () => P;
    },
  ): P | undefined {
    const { counters } = this.options;
    const { observations, receivedAtMs } = whole;
    counters.received += observations;
    device.received += observations;
    const hour = this.hour(device, whole.klass, receivedAtMs);
    hour.received += observations;
    const digest = this.digest.reset();
    digest.json({ ...message, ageMs: undefined, historical: undefined });
    digest.end();
    const entered = device.seen.enter(
      message.boot,
      message.seq,
      message.takenAtMs ?? NaN,
      digest.high,
      digest.low,
    );
    this.touched.add(whole.klass);
    if (!entered.kept) {
      counters.duplicate += observations;
      device.duplicates += observations;
      hour.duplicate += observations;
      if (message.historical === true) hour.historical += observations;
      return undefined;
    }
    if (entered.reused || !entered.bounded) this.entered(device, entered);
    const placed = whole.place();
    const head = {
      branch: whole.branch,
      device: device.id,
      boot: entered.boot,
      seq: message.seq,
      takenAtMs: message.takenAtMs,
      receivedAtMs,
      observations,
      digest: [digest.high, digest.low],
      ...(message.historical === true ? { historical: true } : {}),
      ...(typeof placed === 'object' && { wave: placed }),
    };
    const loss = {
      device: device.id,
      metric: whole.branch,
      fromMs: receivedAtMs,
      toMs: receivedAtMs,
      observations,
      why: 'unrecorded' as const,
    };
    this.recorder.record(whole.klass, { head, payload: whole.payload }, loss);
    return placed;
  }

  /** Retained state is the gateway's; a late will cannot kill a newborn (DESIGN section 5). */
  private state(device: LiveDevice, element: unknown, receivedAtMs: number, will: boolean): void {
    if (!stateCheck.Check(element))
      return this.refuse(device, 'state', 'bad-state', rawOf(element), receivedAtMs);
    const message: StateMessage = element;
    if (message.link === 'death') {
      const { birth } = device;
      if (
        !birth ||
        birth.boot !== message.boot ||
        message.seq < birth.seq - 1 ||
        (will && message.seq !== birth.seq - 1)
      )
        return;
      device.link = 'lost';
      device.fault = isFaultReport(message.fault) ? message.fault : undefined;
      this.options.listeners.deviceState(device.id, { link: 'lost', fault: device.fault }, receivedAtMs);
      return;
    }
    if (device.birth?.boot !== message.boot && message.clockMs === undefined) device.clock.forget();
    if (message.clockMs !== undefined) device.clock.tell(message.clockMs, receivedAtMs);
    device.birth = { boot: message.boot, seq: message.seq };
    device.link = 'connected';
    device.mode = message.mode ?? 'operating';
    device.identity = message.identity ?? device.identity;
    this.options.listeners.deviceState(
      device.id,
      { link: 'connected', mode: device.mode, identity: device.identity },
      receivedAtMs,
    );
  }

  /** An element that cannot be read counts as one observation received. */
  private refuse(
    device: LiveDevice,
    branch: string,
    cause: QuarantineCause,
    payload: Uint8Array,
    receivedAtMs: number,
  ): void {
    this.options.counters.received += 1;
    device.received += 1;
    this.quarantine(device, branch, cause, payload, receivedAtMs);
  }

  private quarantine(
    device: LiveDevice,
    branch: string,
    cause: QuarantineCause,
    payload: Uint8Array,
    receivedAtMs: number,
  ): void {
    this.options.counters.quarantined += 1;
    device.quarantined += 1;
    const hour = this.hour(device, 'raw', receivedAtMs);
    hour.received += 1;
    hour.quarantined += 1;
    this.touched.add('raw');
    const head = { branch, quarantine: cause, device: device.id, receivedAtMs };
    const loss = {
      device: device.id,
      metric: branch,
      fromMs: receivedAtMs,
      toMs: receivedAtMs,
      observations: 0,
      why: 'unrecorded' as const,
    };
    this.recorder.record('raw', { head, payload: payload.slice(0, quarantineTextBound) }, loss);
    this.options.deviceFault(device.id, new Fault('CONTRACT_PAYLOAD', { device: device.id, cause }));
  }

  private hour(device: LiveDevice, klass: JournalClass, receivedAtMs: number): DeviceHour {
    const known = device.hours[klass];
    return (device.hours[klass] = this.recorder.tallies[klass].at(device.id, receivedAtMs, known));
  }

  private entered(device: LiveDevice, entered: Entered): void {
    if (!entered.kept) return;
    if (entered.reused)
      this.options.deviceFault(device.id, new Fault('CONTRACT_BOOT_REUSED', { device: device.id }));
    if (!entered.bounded)
      this.options.deviceFault(device.id, new Fault('CONTRACT_GAPS', { device: device.id }));
  }

  private open(id: string): LiveDevice {
    let device = this.devices.get(id);
    if (!device) this.devices.set(id, (device = new LiveDevice(id)));
    return device;
  }

  private enterDoubt(device: LiveDevice, receivedAtMs: number): void {
    device.spanInDoubt = false;
    this.options.ledger.enter([this.doubt(device, receivedAtMs)]);
  }

  private doubt({ id, lastKeptAtMs }: LiveDevice, toMs: number): Loss {
    const fromMs = Math.min(lastKeptAtMs ?? toMs, toMs);
    return { device: id, metric: '*', fromMs, toMs, observations: 0, why: 'unclean-stop' };
  }

  /** The newest counters are those that have received most; each set balances, so none is put together of two. */
  private goOnFrom(held: Counters): void {
    const { counters } = this.options;
    if (held.received < counters.received) return;
    for (const name of counterNames) counters[name] = held[name];
  }

  private restoreObservations(body: Uint8Array): void {
    const batch = readObservationBatch(body);
    this.goOnFrom(batch.counters);
    let first = 0;
    for (let at = 0; at < batch.messages; at++) {
      const named = batch.devices[batch.deviceIndex[at] ?? 0];
      if (named) {
        const device = this.open(named.device);
        device.seen.restore(
          named.boot,
          batch.seq[at] ?? 0,
          batch.takenAtMs[first] ?? NaN,
          batch.digest[2 * at] ?? 0,
          batch.digest[2 * at + 1] ?? 0,
        );
        device.lastKeptAtMs = Math.max(device.lastKeptAtMs ?? 0, batch.receivedAtMs[at] ?? 0);
      }
      first += batch.count[at] ?? 0;
    }
  }

  private restoreRecords(body: Uint8Array): void {
    for (const { head } of readRecords(body)) {
      const { device: id, boot, seq, takenAtMs, receivedAtMs, digest } = head as Partial<KeptHead>;
      if (id === undefined || receivedAtMs === undefined) continue;
      const device = this.open(id);
      device.lastKeptAtMs = Math.max(device.lastKeptAtMs ?? 0, receivedAtMs);
      if (boot !== undefined && seq !== undefined && digest)
        device.seen.restore(boot, seq, takenAtMs ?? NaN, digest[0], digest[1]);
    }
  }
}

interface KeptHead {
  readonly device: string;
  readonly boot: string;
  readonly seq: number;
  readonly takenAtMs: number;
  readonly receivedAtMs: number;
  readonly digest: readonly [number, number];
}

const numericsOnly: readonly JournalClass[] = ['numerics'];
const counterNames = ['received', 'kept', 'ledgered', 'quarantined', 'duplicate'] as const;

const isFaultReport = (fault: unknown): fault is FaultReport =>
  typeof fault === 'object' && fault !== null && typeof (fault as FaultReport).code === 'string';
