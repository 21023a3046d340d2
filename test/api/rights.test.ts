import { afterAll, expect, test } from 'vitest';
import { roles, type Role } from '../../model/person.ts';
import { describedRoutes, type Described } from './described.ts';
import { examplesOf } from './examples.ts';
import { openBench } from './fixture.ts';

const bench = await openBench();
await bench.ring('east');
const routes = await describedRoutes(bench.app);
const east = new Map<Role, string>();
const west = new Map<Role, string>();
for (const role of roles) {
  east.set(role, await bench.signIn([role], ['east']));
  west.set(role, await bench.signIn([role], ['west']));
}
afterAll(() => bench[Symbol.asyncDispose]());

const call = (route: Described, cookie: string | undefined, absent = false) => {
  const example = examplesOf(bench)[route.name];
  if (!example) throw new Error(`${route.name} has no example`);
  const { url, body } = absent ? { ...example, ...example.absent } : example;
  // Signing out would end the session that the other rows of the matrix use.
  const other = route.name === 'DELETE /api/v1/session' ? undefined : cookie;
  return bench.app.inject({
    method: route.method,
    url,
    headers: other === undefined ? {} : { cookie: other },
    ...(body ? { payload: body } : {}),
  });
};

test('every described route has an example, and every example a route', () => {
  expect(routes.map((route) => route.name).toSorted()).toEqual(Object.keys(examplesOf(bench)).toSorted());
});

test.each(routes)('$name without a session answers 401, unless it is open to all', async (route) => {
  const answer = await call(route, undefined);
  if (route.roles.length === 0) expect(answer.json<{ code?: string }>).toBeDefined();
  else expect([answer.statusCode, answer.json().code]).toEqual([401, 'API_NOT_SIGNED_IN']);
});

const naming = routes.filter((route) => examplesOf(bench)[route.name]?.absent);
test.each(naming)('$name: something in a foreign ward answers as if it were absent', async (route) => {
  for (const role of route.roles as Role[]) {
    const foreign = await call(route, west.get(role));
    const absent = await call(route, west.get(role), true);
    expect([role, foreign.statusCode]).toEqual([role, 404]);
    expect(foreign.json()).toEqual(absent.json());
  }
});

const matrix = routes
  .filter((route) => route.roles.length > 0 && route.name !== 'DELETE /api/v1/session')
  .flatMap((route) =>
    roles.map((role) => ({ route, role, name: route.name, may: route.roles.includes(role) })),
  );

test.each(matrix)('$name by a $role: allowed is $may', async ({ route, role, may }) => {
  const answer = await call(route, east.get(role));
  if (may) expect([401, 403]).not.toContain(answer.statusCode);
  else expect([answer.statusCode, answer.json().code]).toEqual([403, 'API_NOT_ALLOWED']);
  expect(answer.statusCode).not.toBe(500);
});

test('lists leave out what is in another ward', async () => {
  for (const url of ['wards', 'beds', 'alarms', 'encounters', 'associations', 'devices']) {
    const cookie = west.get(url === 'devices' ? 'biomed' : 'nurse') ?? '';
    const answer = await bench.app.inject({ url: `/api/v1/${url}`, headers: { cookie } });
    expect([url, answer.statusCode]).toEqual([url, 200]);
    expect(answer.body).not.toContain('east');
  }
});

test('an engineer sees a bed and its values, but not whose they are', async () => {
  const seen = async (role: Role) =>
    (await bench.app.inject({ url: '/api/v1/beds/east-1', headers: { cookie: east.get(role) } })).json();
  expect((await seen('nurse')).view.patient).toMatchObject({ name: 'Wang Fang' });
  const { view } = await seen('biomed');
  expect(view.values).toContainEqual(expect.objectContaining({ metric: 'MDC_ECG_HEART_RATE', value: 180 }));
  expect(view).not.toHaveProperty('patient');
  expect(view).not.toHaveProperty('encounter');
});

test('nobody hands out a ward they do not have', async () => {
  const body = { ...examplesOf(bench)['POST /api/v1/users']?.body, user: 'cy' };
  const add = (wards: unknown) =>
    bench.app.inject({
      method: 'POST',
      url: '/api/v1/users',
      headers: { cookie: east.get('admin') },
      payload: { ...body, wards },
    });
  expect((await add('all')).statusCode).toBe(404);
  expect((await add(['west'])).statusCode).toBe(404);
  expect((await add(['east'])).statusCode).toBe(201);
});

test('every change and every refusal by right leaves a line without names', async () => {
  const { body } = examplesOf(bench)['POST /api/v1/encounters'] ?? {};
  const admit = (role: Role) =>
    bench.app.inject({
      method: 'POST',
      url: '/api/v1/encounters',
      headers: { cookie: east.get(role) },
      payload: { ...body, bed: undefined },
    });
  const before = bench.trail.length;
  await admit('charge-nurse');
  await admit('biomed');
  const lines = bench.trail.slice(before);
  expect(lines.map((line) => line.outcome)).toEqual(['201', 'API_NOT_ALLOWED']);
  expect(JSON.stringify(lines)).not.toContain('Li');
});
