import type { Alarm } from '../../model/alarm.ts';
import type { Bed } from '../../model/census.ts';
import type { BedId } from '../../model/ids.ts';
import type { BedView, LatestValue, ScreenBeat, WatchMessage } from '../../model/stream.ts';
import { withoutPatient } from './bed-texts.ts';

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
export type ClientBeat = ScreenBeat;

export interface Reader {
  readonly watch: LiveWatch;
  readonly send: SendFrame;
  readonly sinceMs: number;
  /** Beds whose newest values it had no room for. */
  readonly owed: Set<BedId>;
  lastBeat?: ClientBeat;
  lastBeatAtMs?: number;
}

/** A WatchMessage without its place in the stream. */
export type Body = WatchMessage extends infer M
  ? M extends unknown
    ? Omit<M, 'epoch' | 'seq'>
    : never
  : never;
/** A bed's values, and where it stands. */
export type TileValues = Pick<BedView, 'bed' | 'ward' | 'values'>;

/** Gives a body its place and makes it text. */
export type MakeFrame = (body: Body) => string;

const watches = ({ watch }: Reader, view: Pick<BedView, 'bed' | 'ward'>): boolean =>
  watch.beds({ id: view.bed, ward: view.ward });

/** To how many it went. The whole bed, made into text once for those who may know the patient and once for those who may not. */
export function sendView(view: BedView, readers: Iterable<Reader>, frame: MakeFrame): number {
  let sent = 0;
  let full: string | undefined;
  let plain: string | undefined;
  for (const reader of readers) {
    if (!watches(reader, view)) continue;
    if (reader.watch.patients) reader.send((full ??= frame({ bed: view })), 'bed');
    else reader.send((plain ??= frame({ bed: withoutPatient(view) })), 'bed');
    reader.owed.delete(view.bed);
    sent++;
  }
  return sent;
}

/** To how many it went. Changed values; who has no room is owed the bed's newest ones. */
export function sendValues(
  values: { readonly view: TileValues; readonly changed: readonly LatestValue[] },
  readers: Iterable<Reader>,
  frame: MakeFrame,
): number {
  const { view, changed } = values;
  let sent = 0;
  let text: string | undefined;
  for (const reader of readers) {
    if (!watches(reader, view) || reader.owed.has(view.bed)) continue;
    text ??= frame({ values: { bed: view.bed, values: changed } });
    if (!reader.send(text, 'values')) reader.owed.add(view.bed);
    sent++;
  }
  return sent;
}

/** A reader that had no room gets the newest values of those beds now, not what it missed. */
export function settleOwed(
  reader: Reader,
  view: (bed: BedId) => TileValues | undefined,
  frame: MakeFrame,
): void {
  for (const bed of reader.owed) {
    const now = view(bed);
    if (now && !reader.send(frame({ values: { bed, values: now.values } }), 'values')) return;
    reader.owed.delete(bed);
  }
}
