import fc from 'fast-check';
import { expect, test } from 'vitest';
import { metrics } from '../../../model/metric-table.ts';
import { reasons } from '../../../model/observation.ts';
import { defaultBounds } from '../../../gateway/store/historian-protocol.ts';
import { aggregatesOf, rowsOf } from '../../../gateway/store/rows-of.ts';
import { StoreCore } from '../../../gateway/store/store-core.ts';
import type { Correction, SeriesSpan, StoredRow } from '../../../gateway/store/types.ts';
import { bodyOf, type Message } from './bodies.ts';
import { openFolder } from './folder.ts';
import { inOrder, Oracle, sorted } from './oracle.ts';

const baseMs = Date.UTC(2026, 0, 5, 10);
const devices = ['mx-1', 'mx-2', 'watch-1'];
const keys = ['MDC_ECG_HEART_RATE', 'MDC_TEMP/1', 'MDC_TEMP/2', 'vent-mode', 'pump-drug/3'];
const breathe = (): Promise<void> => Promise.resolve();

const seen = fc.oneof(
  { weight: 4, arbitrary: fc.record({ value: fc.oneof(fc.integer({ min: -50, max: 400 }), tenths()) }) },
  // Of a monitor in demo mode, and a value marked as doubtful.
  {
    weight: 1,
    arbitrary: fc.record({ value: tenths(), reason: fc.constantFrom('demo', 'test', 'artefact') }),
  },
  { weight: 1, arbitrary: fc.record({ value: fc.double({ noNaN: true, noDefaultInfinity: true }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ value: fc.constant(null), reason: fc.constantFrom(...reasons) }),
  },
  { weight: 1, arbitrary: fc.record({ value: fc.constant(null), text: fc.string({ maxLength: 12 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      value: fc.constant(null),
      code: fc.string({ maxLength: 8 }),
      system: fc.constant('library-7'),
    }),
  },
);

function tenths(): fc.Arbitrary<number> {
  return fc.integer({ min: 300, max: 450 }).map((tenth) => tenth / 10);
}

const messageArbitrary = fc.record({
  device: fc.constantFrom(...devices),
  boot: fc.constantFrom('b7f39e01c4d2a6f8', '0011223344556677'),
  // Mostly within some hours, with late, doubled and far-off times.
  takenAtMs: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 3 * 3_600_000 }).map((at) => baseMs + at) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 4 }).map((at) => baseMs + at * 3_600_000) },
    { weight: 1, arbitrary: fc.constantFrom(0, 1.5, baseMs - 40 * 86_400_000, 2 ** 41 + 0.25) },
  ),
  delayMs: fc.integer({ min: -5, max: 2_000_000 }),
  historical: fc.boolean(),
  unplaced: fc.constantFrom(false, false, false, true),
  values: fc.uniqueArray(
    fc.record({
      key: fc.constantFrom(...keys),
      seen,
      validity: fc.constantFrom(
        'valid' as const,
        'valid' as const,
        'questionable' as const,
        'invalid' as const,
      ),
    }),
    { minLength: 1, maxLength: 4, selector: ({ key }) => key },
  ),
});
type Drawn = (typeof messageArbitrary)['generate'] extends (...args: never[]) => fc.Value<infer T>
  ? T
  : never;

function rowsFrom(drawn: Drawn, seq: number): StoredRow[] {
  const { device, boot, takenAtMs, delayMs, historical, unplaced } = drawn;
  return drawn.values.map(({ key, seen: what, validity }): StoredRow => {
    const [metric = '', channel] = key.split('/');
    const value = what.value === null ? null : what.value + 0;
    return {
      device,
      metric,
      ...(channel ? { channel } : {}),
      takenAtMs,
      receivedAtMs: takenAtMs + delayMs,
      ...what,
      value,
      validity,
      boot,
      seq,
      historical,
      unplaced,
    };
  });
}

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('append' as const), messages: fc.array(messageArbitrary) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('slice' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('correct' as const),
      which: fc.nat(),
      now: fc.option(
        fc.oneof(
          fc.record({ value: tenths() }),
          fc.record({ text: fc.string({ maxLength: 5 }) }),
          fc.record({ code: fc.string({ maxLength: 5 }), system: fc.constant('library-7') }),
        ),
        { nil: undefined },
      ),
    }),
  },
);

const spanArbitrary: fc.Arbitrary<SeriesSpan> = fc
  .record({
    device: fc.constantFrom(...devices),
    metrics: fc.option(
      fc.subarray(['MDC_ECG_HEART_RATE', 'MDC_TEMP', 'MDC_TEMP/2', 'vent-mode'], { minLength: 1 }),
      {
        nil: undefined,
      },
    ),
    from: fc.integer({ min: -3_600_000, max: 3 * 3_600_000 }),
    length: fc.integer({ min: 0, max: 4 * 3_600_000 }),
    all: fc.boolean(),
  })
  .map(({ device, metrics, from, length, all }) => ({
    device,
    ...(metrics ? { metrics } : {}),
    fromMs: all ? -1e15 : baseMs + from,
    toMs: all ? 1e15 : baseMs + from + length,
  }));

/** The store with what a journal would do: batches not delivered come again after a crash. */
class Room {
  readonly oracle = new Oracle();
  private readonly folder = openFolder();
  private readonly bodies: Message[][] = [];
  core = this.open();

  private open(): StoreCore {
    const settings = {
      ...defaultBounds,
      folder: this.folder.path,
      epoch: 'e1',
      headObservations: 50,
      retention: { vital: 1e15, settings: 1e15, technical: 1e15 },
    };
    return new StoreCore(settings, baseMs, (fault) => {
      throw fault;
    });
  }

  append(messages: Message[]): void {
    this.bodies.push(messages);
    for (const row of messages.flat()) this.oracle.add(row);
    this.give(this.bodies.length - 1);
  }

  /** The same body under a number of its own, as after a lost position. */
  repeat(which: number): void {
    const messages = this.bodies[which % Math.max(1, this.bodies.length)];
    if (messages) this.append(messages);
  }

  correct(which: number, now: Correction['now']): void {
    const row = this.oracle.rows[which % Math.max(1, this.oracle.rows.length)];
    if (!row) return;
    const { device, metric, channel, takenAtMs, boot, seq } = row;
    const correction = {
      ...{ device, metric, channel, takenAtMs, boot, seq, now },
      ...{ by: 'anna', atMs: baseMs + which, why: 'another patient' },
    };
    expect(this.core.correct(correction)).toBe('corrected');
    expect(this.core.correct({ ...correction, seq: -1 })).toBe('absent');
    this.oracle.correct(correction);
  }

  crash(): void {
    this.core.close();
    this.core = this.open();
    for (let number = 0; number < this.bodies.length; number++) this.give(number);
  }

  close(): void {
    this.core.close();
    this.folder[Symbol.dispose]();
  }

  private give(number: number): void {
    const { body, facts } = bodyOf(this.bodies[number] ?? []);
    if (!this.core.fits(facts.observations)) this.core.flush();
    this.core.append('numerics', number, body);
  }
}

test('whatever arrives, in any order, flushed, compacted or crashed at any point, is found once with its value', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.array(spanArbitrary, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(1_000, 60_000, 3_600_000, 7_000_000),
      async (steps, spans, everyMs) => {
        const room = new Room();
        try {
          let seq = 0;
          for (const one of steps) {
            if (one.do === 'append') room.append(one.messages.map((drawn) => rowsFrom(drawn, seq++)));
            else if (one.do === 'repeat') room.repeat(one.which);
            else if (one.do === 'correct') room.correct(one.which, one.now);
            else if (one.do === 'flush') room.core.flush();
            else if (one.do === 'slice') room.core.compactStep();
            else if (one.do === 'compact') while (!room.core.compactStep());
            else room.crash();
          }
          await compare(room, spans, everyMs);
        } finally {
          room.close();
        }
      },
    ),
    { numRuns: 25 },
  );
}, 240_000);

async function compare({ core, oracle }: Room, spans: readonly SeriesSpan[], everyMs: number): Promise<void> {
  const expected = oracle.range(spans);
  const all = await rowsOf(await core.range({ spans, limit: 10_000 }, breathe));
  expect(sorted(all)).toEqual(sorted(expected));
  expect(all.map((row) => row.takenAtMs)).toEqual(inOrder(expected).map((row) => row.takenAtMs));

  const paged: StoredRow[] = [];
  for (let after: string | undefined, more = true; more;) {
    const page = await core.range({ spans, limit: 3, after }, breathe);
    paged.push(...(await rowsOf(page)));
    after = page.next;
    more = after !== undefined;
  }
  expect(paged).toEqual(all);

  const labelled = spans.map((span) => ({ ...span, unplaced: 'given' as const, bed: 'b-1' }));
  const { bytes } = await core.lines(
    { spans: labelled, format: 'ndjson', limit: 10_000, demo: false },
    breathe,
  );
  const lines = Buffer.from(bytes).toString().split('\n').slice(0, -1);
  const unit = (row: StoredRow): string => metrics.get(row.metric)?.unit ?? '1';
  expect(lines.map((line) => JSON.parse(line) as StoredRow)).toEqual(
    all.map((row) => ({ ...row, unit: unit(row), ...(row.unplaced ? {} : { bed: 'b-1' }) })),
  );

  const figures = await aggregatesOf(await core.aggregate({ spans, everyMs }, breathe));
  expect(figures.length).toBe(oracle.aggregate(spans, everyMs).length);
  expect(sorted(figures)).toEqual(sorted(oracle.aggregate(spans, everyMs)));
  expect(sorted(await rowsOf(core.latest(devices)))).toEqual(sorted(oracle.latest(devices)));
}
