import { Server as TlsServer } from 'node:https';
import { afterAll, expect, test } from 'vitest';
import { intendedUse } from '../../model/intended-use.ts';
import { openBench, password } from './fixture.ts';

const bench = await openBench();
const { app } = bench;
afterAll(() => bench[Symbol.asyncDispose]());
const post = (url: string, payload: object | string, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url, payload, headers });

test('the first administrator is made with the printed token, and signs in', async () => {
  expect((await app.inject('/api/v1/setup')).json()).toEqual({ open: true, intendedUse, demo: false });
  const ann = { token: bench.gateway.setupToken ?? '', user: 'ann', name: 'Ann', password };
  const wrong = await post('/api/v1/setup', { ...ann, token: 'guess' });
  expect([wrong.statusCode, wrong.json().outcome]).toEqual([409, 'token-wrong']);
  const weak = await post('/api/v1/setup', { ...ann, password: 'password1234' });
  expect(weak.json().outcome).toBe('password-weak');
  const made = await post('/api/v1/setup', ann);
  expect([made.statusCode, made.json().person.roles]).toEqual([201, ['admin']]);
  expect((await post('/api/v1/setup', ann)).json().outcome).toBe('closed');
  expect((await app.inject('/api/v1/setup')).json().open).toBe(false);

  const signedIn = await post('/api/v1/session', { user: 'ann', password });
  expect(signedIn.json()).toMatchObject({ person: { user: 'ann' }, intendedUse });
});

test('the session cookie is kept from scripts and from other sites', async () => {
  await bench.signIn(['nurse']);
  const answer = await post('/api/v1/session', { user: 'user-1', password });
  const cookie = String(answer.headers['set-cookie']);
  expect(cookie).toMatch(/^vigil-session=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/);
  expect(answer.body).not.toContain(cookie.slice(14, 78));
});

test('with TLS the cookie is Secure and bound to this host', async () => {
  const app = await bench.serve({ secureCookie: true });
  const answer = await app.inject({
    method: 'POST',
    url: '/api/v1/session',
    payload: { user: 'user-1', password },
  });
  expect(answer.cookies[0]?.name).toBe('__Host-vigil-session');
  expect(String(answer.headers['set-cookie'])).toContain('; Secure');
  expect(answer.headers['strict-transport-security']).toContain('max-age=31536000');
});

test('with a certificate the server speaks TLS 1.2 at least', async () => {
  const { server } = await bench.serve({ https: {} });
  expect(server).toBeInstanceOf(TlsServer);
});

test('signing out ends the session', async () => {
  const cookie = await bench.signIn(['nurse']);
  const me = () => app.inject({ url: '/api/v1/session', headers: { cookie } });
  expect((await me()).json().person.roles).toEqual(['nurse']);
  const out = await app.inject({ method: 'DELETE', url: '/api/v1/session', headers: { cookie } });
  expect([out.statusCode, out.body]).toEqual([204, '']);
  expect((await me()).statusCode).toBe(401);
});

test('a wrong password and an unknown user get the same answer; the sixth try waits ten minutes', async () => {
  await bench.signIn(['nurse']);
  const known = await post('/api/v1/session', { user: 'user-1', password: 'wrong' });
  const unknown = await post('/api/v1/session', { user: 'nobody-1', password: 'wrong' });
  expect(known.statusCode).toBe(401);
  expect(known.body).toBe(unknown.body);
  for (let n = 0; n < 4; n++) await post('/api/v1/session', { user: 'nobody-1', password: 'wrong' });
  const locked = await post('/api/v1/session', { user: 'nobody-1', password: 'wrong' });
  expect([locked.statusCode, locked.json().code]).toEqual([429, 'API_SIGN_IN_LOCKED']);
  expect(locked.headers['retry-after']).toBe('600');
});

test('another site can change nothing with this browser’s cookie', async () => {
  const cookie = await bench.signIn(['admin']);
  const ward = { name: 'North', profile: 'adult' };
  const send = async (headers: Record<string, string>, payload: object | string = ward) => {
    const answer = await post('/api/v1/wards', payload, { cookie, host: 'vigil.example', ...headers });
    return [answer.statusCode, answer.statusCode < 300 ? 'done' : answer.json().code];
  };
  const json = { 'content-type': 'application/json' };
  expect(await send({ origin: 'https://elsewhere.example' })).toEqual([403, 'API_ORIGIN']);
  expect(await send({ origin: 'null' })).toEqual([403, 'API_ORIGIN']);
  expect(await send({ origin: 'http://vigil.example.elsewhere.example' })).toEqual([403, 'API_ORIGIN']);
  expect(await send({ 'sec-fetch-site': 'cross-site' })).toEqual([403, 'API_ORIGIN']);
  const text = JSON.stringify(ward);
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/jsonx',
  ])
    expect(await send({ 'content-type': type }, text)).toEqual([415, 'API_CONTENT_TYPE']);
  expect(await send({ origin: 'http://vigil.example' })).toEqual([201, 'done']);
  expect(await send({ ...json, 'sec-fetch-site': 'same-origin' }, text)).toEqual([201, 'done']);
});

test('an origin named in the configuration may call', async () => {
  const cookie = await bench.signIn(['admin']);
  const app = await bench.serve({ origins: ['https://proxy.example'] });
  const answer = await app.inject({
    method: 'POST',
    url: '/api/v1/wards',
    headers: { cookie, origin: 'https://proxy.example' },
    payload: { name: 'North', profile: 'adult' },
  });
  expect(answer.statusCode).toBe(201);
});

test('nothing is changed by a GET, whatever it asks', async () => {
  const cookie = await bench.signIn(['admin', 'charge-nurse']);
  const before = bench.trail.length;
  for (const url of [
    `/api/v1/encounters/${bench.ids.east.encounter}/discharge`,
    '/api/v1/alarms/a/acknowledge',
    '/api/v1/devices/test',
  ])
    expect((await app.inject({ url, headers: { cookie } })).statusCode).toBeGreaterThanOrEqual(400);
  expect(bench.trail.length - before).toBeLessThanOrEqual(1);
});
