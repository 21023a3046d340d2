import type { Alarm } from '../../model/alarm.ts';
import type { Bed } from '../../model/census.ts';
import type { Cancel, Clock } from '../../model/clock.ts';
import type { BedId, Chance } from '../../model/ids.ts';
import type { BedView, LatestValue, StreamMessage, StreamRequest } from '../../model/stream.ts';
import { createAlarmRing } from './alarm-ring.ts';
import { createBedTexts, withoutPatient } from './bed-texts.ts';
import { createChanges } from './changes.ts';

/** The hub of the live stream (DESIGN 6): what the house tells it, each screen that may see it is told. */
export interface Live {
  /** In the tick of the alarm: every reader that may see it is sent it before this returns. */
  alarmChanged(alarm: Alarm): void;
  /** Marks the bed; its changed series follow within 1.1 s, at most once a second a bed. Costs nothing unwatched. */
  valuesChanged(bed: BedId): void;
  /** Patient, devices, links, limits or monitoring of the bed changed: the whole view follows at once. */
  bedChanged(bed: BedId): void;
  subscribe(watch: LiveWatch, send: SendFrame): LiveSubscription;
  /** Who is watching and what their screens last said of themselves. */
  readers(): readonly LiveReader[];
  close(): void;
}

export interface LiveHouse {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly demo: boolean;
  beds(): readonly Bed[];
  view(bed: BedId): BedView | undefined;
  /** Every alarm now active. */
  alarms(): readonly Alarm[];
  /** How many alarm events may be re-read; the oldest go first, and after 24 h. Default 20,000. */
  readonly ringLimit?: number;
}

export interface LiveWatch {
  readonly beds: (bed: Pick<Bed, 'id' | 'ward'>) => boolean;
  readonly alarms: (alarm: Alarm) => boolean;
  /** False: beds come without patient and encounter. */
  readonly patients: boolean;
  readonly from?: { readonly epoch: string; readonly seq: number };
}
export type FrameKind = 'snapshot' | 'alarm' | 'bed' | 'values' | 'beat';
/** False: no room, not taken; only for `values` and `beat`. */
export type SendFrame = (text: string, kind: FrameKind) => boolean;
export type ClientBeat = Extract<StreamRequest, { beat: unknown }>['beat'];
export interface LiveSubscription {
  beat(beat: ClientBeat): void;
  close(): void;
}
export interface LiveReader {
  readonly sinceMs: number;
  readonly lastBeat?: ClientBeat;
  readonly lastBeatAtMs?: number;
}

interface Subscriber {
  readonly watch: LiveWatch;
  readonly send: SendFrame;
  readonly sinceMs: number;
  /** Beds whose newest values it had no room for. */
  readonly owed: Set<BedId>;
  lastBeat?: ClientBeat;
  lastBeatAtMs?: number;
}

const beatMs = 2_000;
const roundMs = 100;
/** Beds a round, so that no round holds the thread up; 250 beds a second each at 1 Hz fit. */
const bedsPerRound = 25;

type Body = StreamMessage extends infer M ? (M extends unknown ? Omit<M, 'epoch' | 'seq'> : never) : never;

export function createLive(house: LiveHouse): Live {
  const { clock, demo } = house;
  const epoch = house.chance.hex(64);
  const subscribers = new Set<Subscriber>();
  const ring = createAlarmRing(house.ringLimit ?? 20_000);
  const texts = createBedTexts(house.view, clock);
  const changes = createChanges(clock);
  let seq = 0;
  let timers: Cancel[] = [];

  const frame = (body: Body): string => JSON.stringify({ epoch, seq: ++seq, ...body });

  const sees = (subscriber: Subscriber, view: Pick<BedView, 'bed' | 'ward'>): boolean =>
    subscriber.watch.beds({ id: view.bed, ward: view.ward });

  const sendView = (view: BedView, to: Iterable<Subscriber>): void => {
    let full: string | undefined;
    let plain: string | undefined;
    for (const subscriber of to) {
      if (!sees(subscriber, view)) continue;
      if (subscriber.watch.patients) subscriber.send((full ??= frame({ bed: view })), 'bed');
      else subscriber.send((plain ??= frame({ bed: withoutPatient(view) })), 'bed');
      subscriber.owed.delete(view.bed);
    }
  };

  const sendValues = (view: BedView, values: readonly LatestValue[]): void => {
    let text: string | undefined;
    for (const subscriber of subscribers) {
      if (!sees(subscriber, view) || subscriber.owed.has(view.bed)) continue;
      text ??= frame({ values: { bed: view.bed, values } });
      if (!subscriber.send(text, 'values')) subscriber.owed.add(view.bed);
    }
  };

  /** A reader that had no room gets the newest values of those beds, not what it missed. */
  const settleOwed = (subscriber: Subscriber): void => {
    for (const bed of subscriber.owed) {
      const view = house.view(bed);
      const body = view && { values: { bed, values: view.values } };
      if (body && !subscriber.send(frame(body), 'values')) return;
      subscriber.owed.delete(bed);
    }
  };

  const round = (): void => {
    for (const subscriber of subscribers) if (subscriber.owed.size > 0) settleOwed(subscriber);
    for (const bed of changes.due(bedsPerRound)) {
      const view = house.view(bed);
      if (!view) continue;
      const values = changes.since(bed, view.values);
      if (values.length > 0) sendValues(view, values);
    }
  };

  const beat = (): void => {
    const text = frame({ beat: { nowMs: clock.nowMs() } });
    for (const subscriber of subscribers) subscriber.send(text, 'beat');
  };

  const wake = (): void => {
    if (timers.length === 0) timers = [clock.every(roundMs, round), clock.every(beatMs, beat)];
  };
  const rest = (): void => {
    for (const cancel of timers) cancel();
    timers = [];
    changes.forget();
    texts.forget();
  };

  const snapshot = (subscriber: Subscriber): void => {
    const { watch } = subscriber;
    const beds = house.beds().filter((bed) => watch.beds(bed));
    const views = beds.flatMap((bed) => texts.of(bed.id, watch.patients) ?? []);
    const alarms = house.alarms().filter((alarm) => watch.alarms(alarm));
    // Put together from each bed's own text: nothing of 60 beds is serialised at one stretch.
    const text =
      `{"epoch":"${epoch}","seq":${seq},"snapshot":{"nowMs":${clock.nowMs()},"demo":${demo},` +
      `"beds":[${views.join(',')}],"alarms":${JSON.stringify(alarms)}}}`;
    subscriber.send(text, 'snapshot');
  };

  const resume = (subscriber: Subscriber, missed: Iterable<{ alarm: Alarm; text: string }>): void => {
    for (const { alarm, text } of missed) if (subscriber.watch.alarms(alarm)) subscriber.send(text, 'alarm');
    for (const bed of house.beds()) {
      const view = subscriber.watch.beds(bed) ? house.view(bed.id) : undefined;
      if (view) sendView(view, [subscriber]);
    }
  };

  return {
    alarmChanged(alarm) {
      const text = frame({ alarm });
      ring.add({ seq, atMs: clock.nowMs(), alarm, text });
      for (const subscriber of subscribers)
        if (subscriber.watch.alarms(alarm)) subscriber.send(text, 'alarm');
    },
    valuesChanged(bed) {
      if (subscribers.size === 0) return;
      changes.mark(bed);
      texts.drop(bed);
    },
    bedChanged(bed) {
      if (subscribers.size === 0) return;
      texts.drop(bed);
      const view = house.view(bed);
      if (!view) return;
      changes.sent(bed, view.values);
      sendView(view, subscribers);
    },
    subscribe(watch, send) {
      const subscriber: Subscriber = { watch, send, sinceMs: clock.nowMs(), owed: new Set() };
      const { from } = watch;
      const missed =
        from?.epoch === epoch && from.seq <= seq ? ring.after(from.seq, clock.nowMs()) : undefined;
      if (missed) resume(subscriber, missed);
      else snapshot(subscriber);
      subscribers.add(subscriber);
      wake();
      return {
        beat: (said) => {
          subscriber.lastBeat = said;
          subscriber.lastBeatAtMs = clock.nowMs();
        },
        close: () => {
          if (subscribers.delete(subscriber) && subscribers.size === 0) rest();
        },
      };
    },
    readers: () =>
      [...subscribers].map(({ sinceMs, lastBeat, lastBeatAtMs }) => ({ sinceMs, lastBeat, lastBeatAtMs })),
    close() {
      subscribers.clear();
      rest();
    },
  };
}
