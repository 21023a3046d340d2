/**
 * Looks at a journal's folder without opening it: what `npm run journal` prints. Reads only, so it may look at one
 * that is in use; a batch that is being written at that moment then shows as a tail.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultReport } from '../model/fault.ts';
import { missingOf, readCatalogue, type Catalogue, type CatalogueSegment } from './catalogue.ts';
import { causeOf } from './files.ts';
import { frameHeaderBytes, inWritingOrder, parseSegmentFile } from './format.ts';
import { readIdentity } from './identity.ts';
import {
  flagsHistorical,
  flagsKind,
  flagsUnplaced,
  flagsValidity,
  isObservationBatch,
  kinds,
  readObservationBatch,
  unpackReason,
  type ObservationBatch,
} from './observation-batch.ts';
import { readPositions } from './positions.ts';
import { count, has, minus, none } from './ranges.ts';
import { isRecordBatch, readRecords } from './record-batch.ts';
import { scanSegment } from './scan.ts';
import { journalClasses, type JournalClass, type JournalLoss, type Ranges } from './types.ts';

export interface Inspection {
  readonly epoch: string | undefined;
  readonly clean: boolean;
  readonly classes: Readonly<
    Record<
      JournalClass,
      {
        readonly segments: number;
        readonly bytes: number;
        readonly present: Ranges;
        readonly nextNumber: number;
        /** Ever, up to `nextNumber`. */
        readonly messages: number;
        readonly observations: number;
        /** Receipt of the oldest and the newest that is there, ms; absent when there is none. */
        readonly firstAtMs?: number;
        readonly lastAtMs?: number;
      }
    >
  >;
  /** Undelivered batches of each known sink. */
  readonly sinks: Readonly<Record<string, number>>;
  /** The same in observations, and the receipt of the oldest. */
  readonly waiting: Readonly<Record<string, { readonly observations: number; readonly oldestAtMs?: number }>>;
  /** Batches that are neither there nor accounted for. */
  readonly losses: readonly Omit<JournalLoss, 'sinks'>[];
  /** Damaged byte ranges and files, each in words. */
  readonly faults: readonly FaultReport[];
}

/** Throws Fault FORMAT_TOO_NEW, or the system's error when the folder cannot be read. */
export function inspectJournal(folder: string): Inspection {
  const { identity, catalogue, positions } = readAll(folder);
  const classes = Object.fromEntries(
    journalClasses.map((klass) => {
      const { segments, present, next } = catalogue.classes[klass];
      const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
      const { messages, observations } = next;
      const { firstAtMs, lastAtMs } = factsOf(segments, present);
      const own = { segments: segments.length, bytes, present, nextNumber: next.next };
      const times = present.length === 0 ? {} : { firstAtMs, lastAtMs };
      return [klass, { ...own, messages, observations, ...times }];
    }),
  ) as unknown as Inspection['classes'];
  const losses = journalClasses.flatMap((klass) =>
    missingOf(klass, catalogue.classes[klass], positions.fault ? undefined : (positions.gone[klass] ?? none)),
  );
  const sinks = positions.sinks.map(({ id, classes: wanted, delivered }) => [
    id,
    wanted.reduce((sum, klass) => sum + count(minus(classes[klass].present, delivered[klass] ?? none)), 0),
  ]);
  const waiting = positions.sinks.map(({ id, classes: wanted, delivered }) => {
    const all = wanted.map((klass) => {
      const { segments, present } = catalogue.classes[klass];
      return factsOf(segments, minus(present, delivered[klass] ?? none));
    });
    const oldestAtMs = Math.min(...all.map(({ firstAtMs }) => firstAtMs));
    const observations = all.reduce((sum, one) => sum + one.observations, 0);
    return [id, { observations, ...(Number.isFinite(oldestAtMs) ? { oldestAtMs } : {}) }] as const;
  });
  const faults = [...identity.faults, ...catalogue.faults, ...(positions.fault ? [positions.fault] : [])];
  return {
    epoch: catalogue.epoch,
    clean: catalogue.clean,
    classes,
    sinks: Object.fromEntries(sinks) as Record<string, number>,
    waiting: Object.fromEntries(waiting),
    losses,
    faults: faults.map((fault) => fault.toJSON()),
  };
}

/** Of the batches of these numbers that are there. */
function factsOf(
  segments: readonly CatalogueSegment[],
  numbers: Ranges,
): { readonly observations: number; readonly firstAtMs: number; readonly lastAtMs: number } {
  let observations = 0;
  let firstAtMs = Infinity;
  let lastAtMs = -Infinity;
  for (const { frames, present } of segments) {
    for (const { header } of frames) {
      if (!has(present, header.number) || !has(numbers, header.number)) continue;
      observations += header.facts.observations;
      firstAtMs = Math.min(firstAtMs, header.facts.firstAtMs);
      lastAtMs = Math.max(lastAtMs, header.facts.lastAtMs);
    }
  }
  return { observations, firstAtMs, lastAtMs };
}

/** How many observations the batches hold that `wanted` picks of those that are there, and the newest receipt of any. */
export function observationsIn(
  folder: string,
  wanted: (klass: JournalClass, present: Ranges) => Ranges,
): { readonly observations: number; readonly lastAtMs: number } {
  const { catalogue } = readAll(folder);
  let observations = 0;
  let lastAtMs = 0;
  for (const klass of journalClasses) {
    const { segments, present, next } = catalogue.classes[klass];
    const picked = wanted(klass, present);
    lastAtMs = Math.max(lastAtMs, next.lastAtMs);
    for (const segment of segments)
      for (const { header } of segment.frames)
        if (has(segment.present, header.number) && has(picked, header.number))
          observations += header.facts.observations;
  }
  return { observations, lastAtMs };
}

/** The bodies of these batches that are there and whole, oldest first, of a folder that may be in use. */
export function* readBatches(
  folder: string,
  klass: JournalClass,
  ranges: Ranges,
): Generator<{ readonly number: number; readonly body: Uint8Array }> {
  if (ranges.length === 0) return;
  const names = readdirSync(folder)
    .flatMap((file) => {
      const name = parseSegmentFile(file);
      return name?.klass === klass ? [{ file, name }] : [];
    })
    .toSorted((a, b) => inWritingOrder(a.name, b.name));
  for (const [index, { file, name }] of names.entries()) {
    const before = names[index + 1]?.name.first ?? Infinity;
    if (!ranges.some(([from, to]) => from < before && to > name.first)) continue;
    const bytes = contentOf(join(folder, file));
    if (!bytes) continue;
    for (const { header, offset, whole } of scanSegment(bytes, file).frames) {
      if (!whole || header.number >= before || !has(ranges, header.number)) continue;
      const at = offset + frameHeaderBytes;
      yield { number: header.number, body: new Uint8Array(bytes.subarray(at, at + header.length)) };
    }
  }
}

/** Undefined when the file has gone since it was listed. */
function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (causeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** What of a journal is wanted; everything when empty. Times are of receipt, from inclusive, to exclusive. */
export interface DumpAsk {
  readonly klass?: JournalClass | undefined;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly device?: string | undefined;
  /** From inclusive, to exclusive. */
  readonly batches?: readonly [from: number, to: number] | undefined;
}

/**
 * Every message that is there, oldest first, as a plain object ready for JSON lines; the snapshots too when nothing
 * narrows the question to messages. One segment is in memory at a time.
 */
export function* dumpJournal(folder: string, ask: DumpAsk = {}): Generator<Record<string, unknown>> {
  const { catalogue } = readAll(folder);
  for (const klass of ask.klass === undefined ? journalClasses : [ask.klass]) {
    for (const segment of catalogue.classes[klass].segments) yield* dumpSegment(folder, segment, ask);
  }
}

function* dumpSegment(
  folder: string,
  segment: CatalogueSegment,
  ask: DumpAsk,
): Generator<Record<string, unknown>> {
  const { fromMs = -Infinity, toMs = Infinity, device, batches: [from, to] = [0, Infinity] } = ask;
  const { klass } = segment.name;
  const whole = ask.fromMs === undefined && ask.toMs === undefined && device === undefined && !ask.batches;
  if (whole && segment.snapshot) {
    yield { klass, snapshot: true, segment: segment.file, bytes: segment.snapshot.header.length };
  }
  const wanted = segment.frames.filter(
    ({ header: { number, facts } }) =>
      has(segment.present, number) &&
      number >= from &&
      number < to &&
      facts.lastAtMs >= fromMs &&
      facts.firstAtMs < toMs,
  );
  const bytes = wanted.length === 0 ? undefined : contentOf(join(folder, segment.file));
  for (const { header, offset } of bytes ? wanted : []) {
    const at = offset + frameHeaderBytes;
    for (const line of dumpBody(bytes?.subarray(at, at + header.length) ?? new Uint8Array())) {
      const atMs = line['receivedAtMs'];
      if (device !== undefined && line['device'] !== device) continue;
      if (typeof atMs === 'number' && (atMs < fromMs || atMs >= toMs)) continue;
      yield { klass, batch: header.number, ...line };
    }
  }
}

function* dumpBody(bytes: Uint8Array): Generator<Record<string, unknown>> {
  if (isObservationBatch(bytes)) yield* dumpObservations(readObservationBatch(bytes));
  else if (isRecordBatch(bytes)) {
    for (const { head, payload } of readRecords(bytes)) {
      yield { ...head, payload: Buffer.from(payload).toString('base64') };
    }
  } else yield { bytes: bytes.length };
}

function* dumpObservations(batch: ObservationBatch): Generator<Record<string, unknown>> {
  const texts = batch.texts.values();
  let at = 0;
  for (let message = 0; message < batch.messages; message++) {
    const values: Record<string, unknown>[] = [];
    for (const end = at + (batch.count[message] ?? 0); at < end; at++) {
      const flags = batch.flags[at] ?? 0;
      const kind = flagsKind(flags);
      const seen =
        kind === kinds.number
          ? { value: batch.value[at] }
          : kind === kinds.none
            ? { value: null }
            : kind === kinds.text
              ? { text: texts.next().value }
              : { code: texts.next().value };
      values.push({
        key: batch.keys[batch.keyIndex[at] ?? 0],
        takenAtMs: batch.takenAtMs[at],
        ...seen,
        validity: flagsValidity(flags),
        reason: unpackReason(batch.reason[at] ?? 0),
        ...(flagsHistorical(flags) ? { historical: true } : {}),
        ...(flagsUnplaced(flags) ? { unplaced: true } : {}),
      });
    }
    yield {
      ...batch.devices[batch.deviceIndex[message] ?? 0],
      seq: batch.seq[message],
      receivedAtMs: batch.receivedAtMs[message],
      values,
    };
  }
}

function readAll(folder: string): {
  identity: ReturnType<typeof readIdentity>;
  catalogue: Catalogue;
  positions: ReturnType<typeof readPositions>;
} {
  const identity = readIdentity(folder);
  return {
    identity,
    catalogue: readCatalogue(folder, identity.epoch),
    positions: readPositions(folder),
  };
}
