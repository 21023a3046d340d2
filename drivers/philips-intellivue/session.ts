import type { Cancel } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import type { DriverHost } from '../driver.ts';
import { createDecoder } from './decoder.ts';
import { classes, readMessage, type Message, type Poll } from './message.ts';
import { createReport } from './report.ts';
import { build, renewAfterMs, type Polled, type Request } from './requests.ts';
import type { Wire, WireEvents } from './wire.ts';

export interface SessionOptions {
  readonly device: string;
  readonly address: string;
  readonly timeZone: string | undefined;
  readonly polled: readonly Polled[];
  /** Empty: the monitor's own list stays. */
  readonly wavePriority: readonly number[];
}

const answerMs = 5_000;
/** The monitor ends an association after 10 s without a word of ours. */
const keepAliveMs = 8_000;
/** Numerics come every second. */
const silentMs = 5_000;
const releaseMs = 500;
const singlePollMs = 1_000;

export interface Association {
  start(wire: Wire): void;
  readonly events: WireEvents;
  close(): Promise<void>;
}

/** Association, create, polls and their renewal, release: one life of one session with a monitor. */
export function createAssociation(host: DriverHost, options: SessionOptions): Association {
  const { device, address } = options;
  const { clock } = host;
  const decoder = createDecoder();
  const report = createReport(host, device, options.timeZone);
  const timers: Cancel[] = [];
  let wire: Wire | undefined;
  let stage: 'idle' | 'asked' | 'accepted' | 'polling' | 'over' = 'idle';
  /** The monitor has accepted, and nothing since has ended it: it must be told when we go. */
  let associated = false;
  let invoke = 0;
  let pollNumber = 0;
  /** Extended polls by invoke id: an error names the one it answers. */
  const extended = new Map<number, Polled>();
  let cancelRenewal: Cancel | undefined;
  let askedSelfAtMs: number | undefined;
  let lastNumericsMs = 0;
  let released: (() => void) | undefined;

  const send = (request: Request): void => {
    invoke = (invoke + 1) & 0x7fff;
    wire?.send(build(request, invoke));
  };
  const stop = (): void => {
    for (const cancel of timers.splice(0)) cancel();
  };
  const lose = (fault: Fault): void => {
    if (stage === 'over') return;
    stage = 'over';
    stop();
    host.link(device, 'lost', fault);
  };
  const unanswered = (): void => lose(new Fault('WIRE_TIMEOUT', { address, deadlineMs: answerMs }));

  const pollAll = (kind: 'poll' | 'single-poll'): void => {
    extended.clear();
    for (const what of options.polled) {
      // A wave is more than one poll a second can carry.
      if (kind === 'single-poll' && what === 'wave') continue;
      pollNumber = (pollNumber + 1) & 0x7fff;
      send({ kind, what, number: pollNumber });
      if (kind === 'poll') extended.set(invoke, what);
    }
  };
  /** A monitor without extended polls says so: it is asked once a second instead, the most it allows. */
  const extendedRefused = (asked: number): void => {
    if (extended.get(asked) !== 'numeric' || cancelRenewal === undefined) return;
    cancelRenewal();
    cancelRenewal = undefined;
    timers.push(clock.every(singlePollMs, () => pollAll('single-poll')));
  };
  const askSelf = (): void => {
    askedSelfAtMs = clock.monotonicMs();
    send({ kind: 'poll-self' });
  };
  const watch = (): void => {
    const sinceMs = Math.round(clock.monotonicMs() - lastNumericsMs);
    if (sinceMs >= silentMs) lose(new Fault('WIRE_SILENT', { address, sinceMs }));
  };

  const begin = (): void => {
    if (stage === 'polling') return;
    stage = 'polling';
    stop();
    lastNumericsMs = clock.monotonicMs();
    host.link(device, 'connected');
    askSelf();
    if (options.wavePriority.length > 0) send({ kind: 'wave-priority', labels: options.wavePriority });
    pollAll('poll');
    const renewal = clock.every(renewAfterMs, () => pollAll('poll'));
    cancelRenewal = renewal;
    timers.push(renewal, clock.every(keepAliveMs, askSelf), clock.every(1_000, watch));
  };

  const polled = (poll: Poll, bytes: Buffer): void => {
    const told = decoder.take(poll);
    if (typeof told === 'string') return host.count(device, 'discardedBytes', bytes.length, bytes);
    host.count(device, 'frame', 1);
    if (poll.objectClass === classes.numeric) lastNumericsMs = clock.monotonicMs();
    if (poll.objectClass === classes.mds && askedSelfAtMs !== undefined) {
      host.roundTrip(device, clock.monotonicMs() - askedSelfAtMs);
      askedSelfAtMs = undefined;
    }
    report.poll(poll, told);
  };

  const created = (message: Extract<Message, { kind: 'create' }>): void => {
    send({ kind: 'create-result', invoke: message.invoke });
    const told = decoder.take(message);
    if (typeof told !== 'string') report.self(told);
    begin();
  };

  const take = (message: Message, bytes: Buffer): void => {
    if (message.kind === 'released') return released?.();
    if (stage === 'idle' || stage === 'over') return;
    if (message.kind === 'accepted') {
      associated = true;
      if (stage === 'asked') stage = 'accepted';
    } else if (message.kind === 'refused') lose(new Fault('WIRE_REFUSED', { address }));
    else if (message.kind === 'abort' || message.kind === 'release') {
      associated = false;
      lose(new Fault('WIRE_CLOSED', { address }));
    } else if (message.kind === 'create') created(message);
    else if (message.kind === 'error') extendedRefused(message.invoke);
    else if (message.kind === 'poll' && stage === 'polling') polled(message, bytes);
  };

  return {
    start: (opened) => {
      wire = opened;
      stage = 'asked';
      host.link(device, 'searching');
      send({ kind: 'associate' });
      timers.push(clock.after(answerMs, unanswered));
    },
    events: {
      message: (bytes) => {
        const message = readMessage(bytes);
        if (typeof message === 'string') host.count(device, 'discardedBytes', bytes.length, bytes);
        else take(message, bytes);
      },
      closed: () => lose(new Fault('WIRE_CLOSED', { address })),
    },
    /** A monitor that is not told keeps the association for ten seconds, and refuses the next one for so long. */
    close: async () => {
      stage = 'over';
      stop();
      if (associated) {
        await new Promise<void>((resolve) => {
          released = resolve;
          timers.push(clock.after(releaseMs, resolve));
          send({ kind: 'release' });
        });
        stop();
      }
      wire?.close();
    },
  };
}
