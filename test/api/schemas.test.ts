import { afterAll, describe, expect, test } from 'vitest';
import { serializerCompiler } from '../../api/compilers.ts';
import { buildServer } from '../../api/server.ts';
import { roles } from '../../model/person.ts';
import { systemClock } from '../../model/clock.ts';
import { describedRoutes } from './described.ts';
import { examplesOf } from './examples.ts';
import { openBench } from './fixture.ts';

// Goal: nothing is bent to fit, in either direction. Way: every leaf of a good call, and of its answer, is replaced in
// turn by each thing that a lax schema would let pass.

const bench = await openBench();
await bench.sample('east', { MDC_PULS_OXIM_SAT_O2: { value: null, reason: 'sensor-off' } });
await bench.ring('east');
const routes = await describedRoutes(bench.app);
const cookie = await bench.signIn(roles, 'all');
const example = (name: string) => examplesOf(bench)[name];
afterAll(() => bench[Symbol.asyncDispose]());

type Path = readonly (string | number)[];
const leaves = (value: unknown, at: Path = []): { path: Path; value: unknown }[] => {
  if (typeof value !== 'object' || value === null) return [{ path: at, value }];
  return Object.entries(value).flatMap(([key, held]) =>
    leaves(held, [...at, Array.isArray(value) ? Number(key) : key]),
  );
};
const objects = (value: unknown, at: Path = []): Path[] => {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, held]) => objects(held, [...at, key]));
  return Array.isArray(value) ? inner : [at, ...inner];
};
function replaced(whole: unknown, path: Path, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const copy: unknown = Array.isArray(whole) ? [...whole] : { ...(whole as object) };
  (copy as Record<string | number, unknown>)[key] = replaced(
    (whole as Record<string | number, unknown>)[key],
    rest,
    value,
  );
  return copy;
}
const held = (whole: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string | number, unknown>)[key], whole);
const wrongFor = (value: unknown): unknown[] => {
  if (typeof value === 'number') return [null, '80', true];
  if (typeof value === 'string') return [null, 80, true];
  return [null, '80', 80];
};
/** Where null is a word of its own, and where a driver's own schema rules. */
const isOpen = (path: Path): boolean => ['settings', 'seen', 'content'].some((name) => path.includes(name));
const mayBeNull = (name: string, path: Path): boolean =>
  (path.at(-1) === 'value' &&
    (path.includes('values') || (name.startsWith('GET') && name.includes('/observations')))) ||
  // No total unless every part is known.
  (path.at(-1) === 'total' && path.includes('scores')) ||
  // What a fault says of itself may be unknown; what an alarm says of itself is not.
  (path.at(-2) === 'details' && !path.includes('alarms') && !name.includes('/alarms'));

describe('in: a body', () => {
  const withBody = routes.filter((route) => route.hasBody);
  const send = (name: string, payload: string) => {
    const route = withBody.find((one) => one.name === name);
    return bench.app.inject({
      method: route?.method ?? 'POST',
      url: example(name)?.url ?? '',
      headers: { cookie, 'content-type': 'application/json' },
      payload,
    });
  };

  test.each(withBody)('$name takes nothing in place of what it asks for', async ({ name }) => {
    const body = example(name)?.body ?? {};
    for (const { path, value } of leaves(body).filter((leaf) => !isOpen(leaf.path))) {
      for (const wrong of wrongFor(value)) {
        const maySwitchOff = name.startsWith('PUT') || name.endsWith('alarm-limits/replay');
        if (wrong === null && maySwitchOff && path.at(-1) === 'value') continue;
        const answer = await send(name, JSON.stringify(replaced(body, path, wrong)));
        expect([path.join('/'), wrong, answer.statusCode, answer.json().code]).toEqual([
          path.join('/'),
          wrong,
          400,
          'API_REQUEST_INVALID',
        ]);
      }
      if (typeof value !== 'number') continue;
      const text = JSON.stringify(replaced(body, path, '@@')).replace('"@@"', 'NaN');
      expect((await send(name, text)).statusCode).toBe(400);
      const huge = JSON.stringify(replaced(body, path, '@@')).replace('"@@"', '1e999');
      expect((await send(name, huge)).statusCode).toBe(400);
    }
  });

  test.each(withBody)('$name refuses a field it does not know, at every depth', async ({ name }) => {
    const body = example(name)?.body ?? {};
    for (const path of objects(body).filter((one) => !isOpen(one))) {
      for (const extra of ['id2', 'role', 'wardIds', 'createdAtMs']) {
        const more = { ...(held(body, path) as object), [extra]: 'admin' };
        const answer = await send(name, JSON.stringify(replaced(body, path, more)));
        expect([path.join('/'), extra, answer.statusCode]).toEqual([path.join('/'), extra, 400]);
      }
    }
  });

  test.each(withBody)('$name refuses a poisoned, deep, empty or foreign body', async ({ name }) => {
    const text = JSON.stringify(example(name)?.body);
    const poisoned = `{"__proto__":{"admin":true}${text === '{}' ? '' : `,${text.slice(1, -1)}`}}`;
    expect((await send(name, poisoned)).statusCode).toBe(400);
    expect((await send(name, `${'['.repeat(33)}${']'.repeat(33)}`)).statusCode).toBe(400);
    expect((await send(name, '')).statusCode).toBe(400);
    expect((await send(name, '"text"')).statusCode).toBe(400);
    expect((await send(name, 'null')).statusCode).toBe(400);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
});

describe('in: a query', () => {
  const asking = routes.filter((route) => route.query.length > 0);
  test.each(asking)(
    '$name refuses what is no value of a parameter, and a parameter it does not know',
    async (route) => {
      const { url } = example(route.name) ?? { url: '' };
      const [path, search] = url.split('?');
      const refused = async (name: string, value: string) => {
        const query = new URLSearchParams(search);
        query.set(name, value);
        const answer = await bench.app.inject({ url: `${path}?${query}`, headers: { cookie } });
        expect([name, value, answer.statusCode]).toEqual([name, value, 400]);
      };
      for (const { name, type } of route.query) {
        if (type === 'integer')
          for (const wrong of ['', 'x', 'NaN', 'true', '1e3', '0x10', '1.5', 'null'])
            await refused(name, wrong);
        if (type === 'boolean') for (const wrong of ['', 'x', '80', '1', 'null']) await refused(name, wrong);
        // A cursor is opaque, and a scanned label may be any text.
        if (type === 'string' && !['cursor', 'scan'].includes(name)) await refused(name, '../x');
      }
      await refused('surprise', '1');
    },
  );
});

interface Route {
  readonly name: string;
  readonly schema: Parameters<typeof serializerCompiler>[0]['schema'];
  readonly status: number;
}

/** Each route's own answer schemas, as the server was given them. */
async function answerSchemas(): Promise<Route[]> {
  const found: Route[] = [];
  const app = buildServer(bench.services, { clock: systemClock(), version: '0' });
  app.addHook('onRoute', (route) => {
    const response = (route.schema?.response ?? {}) as Record<string, Route['schema']>;
    for (const [status, schema] of Object.entries(response))
      if (/^2\d\d$/.test(status))
        found.push({
          name: `${String(route.method)} ${route.url.replace(/:(\w+)/g, '{$1}')}`,
          schema,
          status: Number(status),
        });
  });
  await app.ready();
  await app.close();
  return found;
}

/** The bench has its administrator, no such user, no driver host and nothing latched: these answer a refusal. */
const refusedHere = [
  'POST /api/v1/setup',
  'POST /api/v1/session',
  'POST /api/v1/devices/test',
  'POST /api/v1/devices/{id}/test',
  'POST /api/v1/hosts/{id}/credentials',
  'GET /api/v1/discovery',
  'GET /api/v1/maps',
  'PUT /api/v1/maps/{name}',
  'POST /api/v1/alarms/{id}/clear',
  'POST /api/v1/alarms/{id}/redirect',
  'POST /api/v1/cover/{id}/accept',
  'POST /api/v1/cover/{id}/end',
  'POST /api/v1/beds/{id}/scores/{score}/confirm',
  // As many jobs as may run at once may be running already.
  'POST /api/v1/losses/reconcile',
  // Nothing was charted under the name the example gives.
  'POST /api/v1/observations/confirm',
  'POST /api/v1/observations/correct',
  'POST /api/v1/observations/retract',
  'POST /api/v1/beds/{id}/review/{entry}/seen',
];

describe('out: an answer', async () => {
  const schemas = (await answerSchemas()).filter((route) => example(route.name) && route.status !== 204);
  const expected = routes.filter((route) => route.method !== 'DELETE' && route.name !== 'GET /metrics');

  test('every route that answers something has a schema for it', () => {
    expect(new Set(schemas.map((route) => route.name))).toEqual(new Set(expected.map((route) => route.name)));
  });

  test.each(schemas)('$name lets out only what fits its description', async ({ name, schema }) => {
    const given = example(name);
    const method = name.split(' ')[0] as 'GET';
    const answer = await bench.app.inject({
      method,
      url: given?.url ?? '',
      headers: { cookie },
      ...(given?.body ? { payload: given.body } : {}),
    });
    if (refusedHere.includes(name)) return;
    expect([name, answer.statusCode < 300, answer.body.slice(0, 200)]).toEqual([
      name,
      true,
      expect.anything(),
    ]);
    const good: unknown = answer.json();
    const serialize = serializerCompiler({ schema, method, url: name }) as (data: unknown) => string;
    expect(JSON.parse(serialize(good))).toEqual(good);

    for (const { path, value } of leaves(good)) {
      const numeric = typeof value === 'number' || (value === null && mayBeNull(name, path));
      if (numeric)
        for (const bad of [Number.NaN, Infinity, -Infinity])
          expect(() => serialize(replaced(good, path, bad))).toThrow('did not fit');
      if (isOpen(path)) continue;
      if (mayBeNull(name, path))
        expect(held(JSON.parse(serialize(replaced(good, path, null))), path)).toBeNull();
      else expect(() => serialize(replaced(good, path, null)), path.join('/')).toThrow('did not fit');
      if (numeric && !path.includes('details'))
        for (const bad of ['80', true])
          expect(() => serialize(replaced(good, path, bad)), path.join('/')).toThrow();
    }
    for (const path of objects(good)) {
      if (isOpen(path)) continue;
      const more = { ...(held(good, path) as object), password: { secret: 1 } };
      expect(() => serialize(replaced(good, path, more)), path.join('/')).toThrow('did not fit');
    }
  });

  test('a NaN from inside is a 500 problem, never a null', async () => {
    const { health } = bench.services;
    const app = await bench.serve({}, { health: () => ({ ...health(), nowMs: Number.NaN }) });
    const answer = await app.inject('/health');
    expect(answer.statusCode).toBe(500);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ code: 'API_RESPONSE_INVALID', status: 500 });
  });

  test('a missing value leaves as null with its reason', async () => {
    const { view } = (await bench.app.inject({ url: '/api/v1/beds/east-1', headers: { cookie } })).json();
    expect(view.values).toContainEqual(expect.objectContaining({ value: null, reason: 'sensor-off' }));
  });
});
