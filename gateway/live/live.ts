import type { Alarm } from '../../model/alarm.ts';
import type { Bed } from '../../model/census.ts';
import type { Cancel, Clock } from '../../model/clock.ts';
import type { BedId, Chance } from '../../model/ids.ts';
import type { BedView } from '../../model/stream.ts';
import { createAlarmRing } from './alarm-ring.ts';
import { createBedTexts } from './bed-texts.ts';
import { createChanges } from './changes.ts';
import {
  sendValues,
  sendView,
  settleOwed,
  type Body,
  type ClientBeat,
  type LiveWatch,
  type Reader,
  type SendFrame,
  type TileValues,
} from './readers.ts';

export type { ClientBeat, FrameKind, LiveWatch, SendFrame } from './readers.ts';

/** The hub of the live stream (DESIGN 6): what the house tells it, each screen that may see it is told. */
export interface Live {
  /** In the tick of the alarm: every reader that may see it is sent it before this returns. */
  alarmChanged(alarm: Alarm): void;
  /** Marks the bed; its changed series follow within 1.1 s, at most once a second a bed. Costs nothing unwatched. */
  valuesChanged(bed: BedId): void;
  /** Patient, devices, links, limits or monitoring of the bed changed: the whole view follows within 0.1 s. */
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
  /** The same with nothing but the values. */
  values(bed: BedId): TileValues | undefined;
  /** Every alarm now active. */
  alarms(): readonly Alarm[];
  /** How many alarm events may be re-read; the oldest go first, and after 24 h. Default 20,000. */
  readonly ringLimit?: number;
}

export interface LiveSubscription {
  beat(beat: ClientBeat): void;
  close(): void;
}
export interface LiveReader {
  readonly sinceMs: number;
  readonly lastBeat?: ClientBeat;
  readonly lastBeatAtMs?: number;
}

const beatMs = 2_000;
/** Short rounds of few beds: an alarm that comes meanwhile waits for one of them at most, well under a millisecond. */
const roundMs = 20;
const bedsPerRound = 6;
/** Frames a round, so that a ward cut off at once does not hold the thread up; what is left goes next round. */
const framesPerRound = 400;

export function createLive(house: LiveHouse): Live {
  const { clock, demo } = house;
  const epoch = house.chance.hex(64);
  const readers = new Set<Reader>();
  const ring = createAlarmRing(house.ringLimit ?? 20_000);
  const texts = createBedTexts(house.view, clock);
  const changes = createChanges(clock);
  /** Whose whole view is to be told. */
  const changedBeds = new Set<BedId>();
  let seq = 0;
  let timers: Cancel[] = [];

  const frame = (body: Body): string => JSON.stringify({ epoch, seq: ++seq, ...body });

  const tellBed = (bed: BedId): number => {
    const view = house.view(bed);
    if (!view) return 0;
    changes.sent(bed, view.values);
    return sendView(view, readers, frame);
  };
  const tellValues = (bed: BedId): number => {
    const view = house.values(bed);
    if (!view) return 0;
    const changed = changes.since(bed, view.values);
    return changed.length > 0 ? sendValues({ view, changed }, readers, frame) : 0;
  };

  const round = (): void => {
    let sent = 0;
    let beds = 0;
    for (const reader of readers) if (reader.owed.size > 0) settleOwed(reader, house.values, frame);
    for (const bed of changedBeds) {
      changedBeds.delete(bed);
      sent += tellBed(bed);
      if (++beds >= bedsPerRound || sent > framesPerRound) return;
    }
    for (const bed of changes.due()) {
      sent += tellValues(bed);
      if (++beds >= bedsPerRound || sent > framesPerRound) return;
    }
  };

  const beat = (): void => {
    const text = frame({ beat: { nowMs: clock.nowMs() } });
    for (const reader of readers) reader.send(text, 'beat');
  };

  const wake = (): void => {
    if (timers.length === 0) timers = [clock.every(roundMs, round), clock.every(beatMs, beat)];
  };
  const rest = (): void => {
    for (const cancel of timers) cancel();
    timers = [];
    changes.forget();
    changedBeds.clear();
    texts.forget();
  };

  const snapshot = (reader: Reader): void => {
    const { watch } = reader;
    const beds = house.beds().filter((bed) => watch.beds(bed));
    const views = beds.flatMap((bed) => texts.of(bed.id, watch.patients) ?? []);
    const alarms = house.alarms().filter((alarm) => watch.alarms(alarm));
    // Put together from each bed's own text: nothing of 60 beds is serialised at one stretch.
    const text =
      `{"epoch":"${epoch}","seq":${seq},"snapshot":{"nowMs":${clock.nowMs()},"demo":${demo},` +
      `"beds":[${views.join(',')}],"alarms":${JSON.stringify(alarms)}}}`;
    reader.send(text, 'snapshot');
  };

  const resume = (reader: Reader, missed: Iterable<{ alarm: Alarm; text: string }>): void => {
    for (const { alarm, text } of missed) if (reader.watch.alarms(alarm)) reader.send(text, 'alarm');
    for (const bed of house.beds()) {
      const view = reader.watch.beds(bed) ? house.view(bed.id) : undefined;
      if (view) sendView(view, [reader], frame);
    }
  };

  return {
    alarmChanged(alarm) {
      const text = frame({ alarm });
      ring.add({ seq, atMs: clock.nowMs(), alarm, text });
      for (const reader of readers) if (reader.watch.alarms(alarm)) reader.send(text, 'alarm');
    },
    valuesChanged(bed) {
      if (readers.size === 0) return;
      changes.mark(bed);
      texts.drop(bed);
    },
    bedChanged(bed) {
      if (readers.size === 0) return;
      changedBeds.add(bed);
      texts.drop(bed);
    },
    subscribe(watch, send) {
      const reader: Reader = { watch, send, sinceMs: clock.nowMs(), owed: new Set() };
      const { from } = watch;
      const missed =
        from?.epoch === epoch && from.seq <= seq ? ring.after(from.seq, clock.nowMs()) : undefined;
      if (missed) resume(reader, missed);
      else snapshot(reader);
      readers.add(reader);
      wake();
      return {
        beat: (said) => {
          reader.lastBeat = said;
          reader.lastBeatAtMs = clock.nowMs();
        },
        close: () => {
          if (readers.delete(reader) && readers.size === 0) rest();
        },
      };
    },
    readers: () =>
      [...readers].map(({ sinceMs, lastBeat, lastBeatAtMs }) => ({ sinceMs, lastBeat, lastBeatAtMs })),
    close() {
      readers.clear();
      rest();
    },
  };
}
