import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { numberRow } from '../gateway/store/bodies.ts';
import { until } from '../gateway/store/folder.ts';
import { openServerRoom, settingsOf } from '../gateway/store/servers/room.ts';
import { openStandIn, takesAll, type Asked, type Behave } from '../gateway/store/servers/stand-in.ts';

// What InfluxDB 2.x and 3.x answer when they do not store, and what becomes of the observations then.

const heart = 'MDC_ECG_HEART_RATE';
const takenAtMs = 1_763_740_800_000;
const influx2 = { kind: 'influxdb-2', org: 'ward', bucket: 'vitals' } as const;
const influx3 = { kind: 'influxdb-3', database: 'vitals' } as const;

const some = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => [
    numberRow('mx-1', heart, takenAtMs + (from + at) * 1_000, from + at, from + at),
  ]);
const valuesOf = (points: ReadonlyMap<string, string>): number[] =>
  [...points.values()]
    .filter((line) => line.startsWith('vigil,'))
    .map((line) => Number(/ value=(\d+)/.exec(line)?.[1]))
    .sort((a, b) => a - b);
const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);
const isBad = (line: string): boolean => / value=(7|11),/.test(line);

describe('a server that refuses', () => {
  test.each([
    [401, { code: 'unauthorized', message: 'unauthorized access' }, 'SINK_SECRET_REFUSED'],
    [403, { code: 'forbidden', message: 'insufficient permissions for write' }, 'SINK_FORBIDDEN'],
    [404, { code: 'not found', message: 'bucket "vitals" not found' }, 'SINK_PLACE_UNKNOWN'],
    [200, '<html>sign in at the portal</html>', 'SINK_STRANGE'],
    [302, '', 'SINK_STRANGE'],
    [405, '', 'SINK_STRANGE'],
  ])(
    'with %i pauses the sink, loses nothing, and goes on by itself when mended',
    async (status, body, code) => {
      await using server = await openStandIn(() => ({ status, body }));
      await using room = await openServerRoom([settingsOf({ ...influx2, url: server.url })]);
      await room.keep(some(5));
      await until('it pauses', () => room.sink().state === 'paused');
      expect(room.sink().fault).toMatchObject({ code });
      await room.keep(some(5, 5));
      await until('it is tried again', () => server.requests.length > 2);
      expect(server.points.size).toBe(0);
      expect(await room.losses()).toEqual([]);
      server.behave = takesAll;
      await room.settled();
      expect(valuesOf(server.points)).toEqual(numbers(10));
      await until('it delivers', () => room.sink().state === 'delivering');
    },
  );

  test('with 429 and Retry-After in seconds is not asked before', async () => {
    let refusedAtMs = 0;
    let againAtMs = 0;
    await using server = await openStandIn((asked) => {
      if (refusedAtMs === 0) {
        refusedAtMs = performance.now();
        return { status: 429, headers: { 'retry-after': '2' } };
      }
      againAtMs ||= performance.now();
      return takesAll(asked);
    });
    await using room = await openServerRoom([settingsOf({ ...influx2, url: server.url })]);
    await room.keep(some(3));
    await until('it waits', () => room.sink().state === 'waiting');
    await room.settled();
    expect(againAtMs - refusedAtMs).toBeGreaterThanOrEqual(1_990);
    expect(valuesOf(server.points)).toEqual(numbers(3));
  });

  test.each([
    ['never answers', () => undefined],
    ['answers 503', () => ({ status: 503 })],
    ['answers 500 with a page', () => ({ status: 500, body: '<html></html>' })],
  ] satisfies [string, Behave][])('or %s is tried again within its deadline', async (_, behave) => {
    await using server = await openStandIn(behave);
    await using room = await openServerRoom([settingsOf({ ...influx2, url: server.url, deadlineMs: 300 })]);
    await room.keep(some(4));
    await until('it waits', () => room.sink().state === 'waiting');
    expect(room.sink().fault).toMatchObject({ code: 'SINK_AWAY' });
    await until('it is tried again', () => server.requests.length > 1);
    server.behave = takesAll;
    await room.settled();
    expect(valuesOf(server.points)).toEqual(numbers(4));
  });
});

describe('single lines', () => {
  /** 2.x: one bad line and nothing of the request is stored; it says so without a number. */
  const wholeRefused: Behave = (asked) =>
    asked.lines.some(isBad)
      ? {
          status: 422,
          body: {
            code: 'unprocessable entity',
            message: 'failure writing points to database: partial write: field type conflict dropped=1',
          },
        }
      : takesAll(asked);
  /** 3.x: the good ones are stored, the bad ones named by number. */
  const named: Behave = (asked) =>
    asked.lines.some(isBad)
      ? {
          status: 400,
          stored: asked.lines.filter((line) => !isBad(line)),
          body: {
            error: 'partial write of line protocol occurred',
            data: asked.lines.flatMap((line, at) =>
              isBad(line)
                ? [{ original_line: line, line_number: at + 1, error_message: 'invalid column type' }]
                : [],
            ),
          },
        }
      : takesAll(asked);
  /** One line too many is too much. */
  const small: Behave = (asked) =>
    asked.lines.length > 3 || asked.lines.some(isBad) ? { status: 413 } : takesAll(asked);

  test.each([
    ['with 422 for the whole request', influx2, wholeRefused],
    ['by number', influx3, named],
    ['as too large, and requests of more than three lines', influx3, small],
  ] as const)(
    'that are refused %s are found, ledgered once, and the rest is stored',
    async (_, kind, behave) => {
      await using server = await openStandIn(behave);
      await using room = await openServerRoom([settingsOf({ ...kind, url: server.url })]);
      await room.keep(some(20));
      await room.settled();
      expect(valuesOf(server.points)).toEqual(numbers(20).filter((at) => at !== 7 && at !== 11));
      const losses = await room.losses();
      expect(losses).toMatchObject([{ device: 'mx-1', metric: heart, why: 'sink-refused', observations: 2 }]);
      await until('it is counted', () => room.sink().refused === 2);
      expect(room.sink().stored).toBe(18);
    },
  );

  test('are not blamed when the server refuses whatever it is sent', async () => {
    await using server = await openStandIn(() => ({
      status: 400,
      body: { code: 'invalid', message: 'no such precision' },
    }));
    await using room = await openServerRoom([settingsOf({ ...influx2, url: server.url })]);
    await room.keep(some(5));
    await until('it pauses', () => room.sink().state === 'paused');
    expect(room.sink().fault).toMatchObject({ code: 'SINK_REFUSES' });
    expect(await room.losses()).toEqual([]);
    server.behave = takesAll;
    await room.settled();
    expect(valuesOf(server.points)).toEqual(numbers(5));
  });

  test('that are older than the server keeps are ledgered, all of them', async () => {
    await using server = await openStandIn((asked) =>
      asked.lines.some((line) => line.startsWith('vigil,'))
        ? { status: 422, body: { message: 'partial write: points beyond retention policy dropped=150' } }
        : takesAll(asked),
    );
    await using room = await openServerRoom([settingsOf({ ...influx2, url: server.url })]);
    await room.keep(some(150));
    await room.settled();
    expect(await room.losses()).toMatchObject([{ observations: 150, why: 'sink-refused' }]);
  });

  test('stand in the loss ledger once, though the restart came between ledger and confirmation', async () => {
    await using server = await openStandIn(wholeRefused);
    await using room = await openServerRoom([settingsOf({ ...influx2, url: server.url })]);
    await room.keep(some(20));
    await room.settled();
    // The position was lost with the crash: the same batch comes again.
    await room.forgetPosition('tsdb');
    await room.settled();
    expect(await room.losses()).toHaveLength(1);
    expect(valuesOf(server.points)).toHaveLength(18);
  });
});

describe('the secret', () => {
  test('is sent as the server wants it, never shown, and read again when it was renewed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vigil-secret-'));
    try {
      const file = join(folder, 'token');
      writeFileSync(file, 'first-secret\n');
      const knows = (token: string) => (asked: Asked) =>
        asked.token === `Token ${token}`
          ? takesAll(asked)
          : { status: 401, body: { message: 'unauthorized' } };
      await using server = await openStandIn(knows('first-secret'));
      await using room = await openServerRoom([
        settingsOf({ ...influx2, url: server.url, secret: { file } }),
      ]);
      await room.keep(some(2));
      await room.settled();
      server.behave = knows('second-secret');
      await room.keep(some(2, 2));
      await until('it pauses', () => room.sink().state === 'paused');
      expect(await room.servers.test('tsdb')).toMatchObject({
        works: false,
        says: 'the token is refused: status 401: unauthorized',
      });
      writeFileSync(file, 'second-secret\n');
      await room.settled();
      expect(valuesOf(server.points)).toEqual(numbers(4));
      rmSync(file);
      expect(await room.servers.test('tsdb')).toMatchObject({
        works: false,
        findings: [{ about: 'secret' }],
      });
      const shown = JSON.stringify([room.sink(), room.servers.health(), room.faults]);
      expect(shown).not.toContain('-secret');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the test of a sink says in words', () => {
  const testOf = async (url: string, behave?: Behave) => {
    await using server = await openStandIn(behave);
    await using room = await openServerRoom([
      settingsOf({ ...influx2, url: url === '' ? server.url : url, deadlineMs: 500 }),
    ]);
    return await room.servers.test('tsdb');
  };

  test.each([
    ['that nothing listens', 'http://127.0.0.1:9', undefined, 'nothing listens there'],
    ['that the host is unknown', 'http://nowhere.example:8086', undefined, 'host name is not known'],
    [
      'that the bucket is missing',
      '',
      () => ({ status: 404, body: { message: 'bucket not found' } }),
      'there is no bucket vitals',
    ],
    ['that the token may not write', '', () => ({ status: 403 }), 'may not write to bucket vitals'],
    ['that a proxy answers', '', () => ({ status: 200, body: '<html>' }), 'a write was answered with 200'],
    ['that it hangs', '', () => undefined, 'no answer within 500 ms'],
  ] satisfies [string, string, Behave | undefined, string][])('%s', async (_, url, behave, words) => {
    const found = await testOf(url, behave);
    expect(found).toMatchObject({ works: false });
    expect(found === 'absent' ? '' : found.says).toContain(words);
  });

  test('how far its clock is off, and that it works all the same', async () => {
    const behind = (): string => new Date(Date.now() - 90_000).toUTCString();
    await using server = await openStandIn((asked) => ({ ...takesAll(asked), status: 204 }));
    await using room = await openServerRoom([settingsOf({ ...influx2, url: server.url })]);
    server.dateHeader = behind;
    const found = await room.servers.test('tsdb');
    expect(found).toMatchObject({ works: true, version: 'v2.7.11' });
    expect(found === 'absent' ? '' : found.says).toMatch(/its clock is (89|90|91) s behind ours/);
    expect(await room.servers.test('other')).toBe('absent');
  });

  test('that it speaks TLS, or does not', async () => {
    const found = await testOf((await openStandIn()).url.replace('http:', 'https:'));
    expect(found === 'absent' ? '' : found.says).toContain('TLS failed');
  });
});
