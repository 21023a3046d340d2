import { connect, type AddressInfo } from 'node:net';
import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { intendedUse } from '../../model/intended-use.ts';
import { buildServer } from '../../api/server.ts';
import { depthOf } from '../../api/json-body.ts';
import { systemClock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import { openBench } from './fixture.ts';

const bench = await openBench();
afterAll(() => bench[Symbol.asyncDispose]());

test('a route that does not say who may call it stops the start', async () => {
  const app = buildServer(bench.services, { clock: systemClock(), version: '0' });
  app.register(async (plugin) => void plugin.get('/api/v1/secret', async () => ({})));
  await expect(app.ready()).rejects.toMatchObject({ code: 'API_ROUTE_WITHOUT_ROLES' });
  await app.close();
});

test('the description says the intended use, is OpenAPI 3.1, and each route in it says who may', async () => {
  const document = (await bench.app.inject('/api/docs/json')).json();
  expect(document.openapi).toBe('3.1.0');
  expect(document.info.description).toContain(intendedUse);
  const operations = Object.values(
    document.paths as Record<string, Record<string, Record<string, unknown>>>,
  ).flatMap((path) => Object.values(path));
  expect(operations.length).toBeGreaterThan(30);
  for (const operation of operations) {
    expect(operation.description).toMatch(/Who may: .+\.$/);
    expect(operation.summary).toBeTruthy();
    expect(operation.responses).toHaveProperty('4XX');
  }
});

test('the page at /api/docs needs no inline script', async () => {
  const page = await bench.app.inject({ url: '/api/docs' });
  expect(page.statusCode).toBe(200);
  const policy = String(page.headers['content-security-policy']);
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toContain('unsafe');
  expect(page.body).not.toMatch(/<script(?![^>]*src=)/);
  const scripts = [...page.body.matchAll(/src="([^"]+)"/g)].map((found) => found[1] ?? '');
  expect(scripts.length).toBeGreaterThan(1);
  for (const src of scripts) {
    const url = new URL(src, 'http://vigil/api/docs').pathname;
    expect([url, (await bench.app.inject(url)).statusCode]).toEqual([url, 200]);
  }
});

test('every answer carries the policy that makes a patient’s name no program', async () => {
  for (const url of ['/health', '/api/v1/session', '/nothing', '/ward']) {
    const { headers } = await bench.app.inject(url);
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['x-content-type-options']).toBe('nosniff');
  }
});

test('a fault of the world is a 503 with its code and the next step; a broken assumption says nothing of itself', async () => {
  let thrown: Error = new Fault('STORE_READ', { cause: 'disk' });
  const { observations } = bench.services;
  const broken = Object.create(observations, {
    latest: { value: () => Promise.reject(thrown) },
  }) as typeof observations;
  const app = await bench.serve({}, { observations: broken });
  const cookie = await bench.signIn(['nurse']);
  const ask = async () =>
    (await app.inject({ url: '/api/v1/observations/latest?bed=east-1', headers: { cookie } })).json();
  expect(await ask()).toEqual({
    type: 'urn:vigil:problem:store-read',
    title: 'the historian could not answer (disk)',
    status: 503,
    code: 'STORE_READ',
    whatToDo: expect.any(String),
  });
  thrown = new Error('Wang Fang, born 1950');
  expect(JSON.stringify(await ask())).not.toContain('Wang');
  expect(await ask()).toMatchObject({ status: 500, code: 'API_BROKE' });
});

test('a refusal of the house is a 409 with its word, refused fields a 422 with their causes', async () => {
  const cookie = await bench.signIn(['nurse', 'charge-nurse']);
  const send = (method: 'POST' | 'PUT', url: string, payload: object) =>
    bench.app.inject({ method, url, payload, headers: { cookie } });
  const taken = await send('POST', '/api/v1/associations', {
    unknownPatient: true,
    device: 'device-east',
    bed: 'east-1',
    beginAtMs: 0,
  });
  expect(taken.json()).toMatchObject({ status: 409, code: 'API_OUTCOME', outcome: 'device-taken' });
  const limit = { metric: 'MDC_ECG_HEART_RATE', direction: 'high', priority: 'high', value: 250 };
  const refused = await send('PUT', `/api/v1/encounters/${bench.ids.east.encounter}/alarm-limits`, {
    limits: [limit],
    reason: 'x',
  });
  expect(refused.json()).toMatchObject({
    status: 422,
    code: 'API_REFUSED',
    errors: [{ path: 'MDC_ECG_HEART_RATE', cause: expect.any(String) }],
  });
});

test('an alarm that moved on since it was seen is not acknowledged', async () => {
  const { id } = await bench.ring('east');
  const cookie = await bench.signIn(['nurse']);
  const send = (version: number) =>
    bench.app.inject({
      method: 'POST',
      url: `/api/v1/alarms/${id}/acknowledge`,
      payload: { version },
      headers: { cookie },
    });
  const seen = bench.services.alarms.alarm(id)?.version ?? 0;
  expect((await send(0)).json()).toMatchObject({ status: 409, outcome: 'changed' });
  expect((await send(seen)).json()).toMatchObject({
    outcome: 'done',
    alarm: { inactivation: 'acknowledged' },
  });
});

test('lists come in pages that a cursor joins without a gap', async () => {
  const cookie = await bench.signIn(['nurse']);
  const seen: string[] = [];
  let next: string | undefined;
  do {
    const url = `/api/v1/beds?ward=east&limit=5${next ? `&cursor=${next}` : ''}`;
    const page = (await bench.app.inject({ url, headers: { cookie } })).json();
    seen.push(...page.items.map((bed: { id: string }) => bed.id));
    next = page.next;
  } while (next);
  expect(seen).toEqual(
    bench.services.census
      .beds('east')
      .map((bed) => bed.id)
      .toSorted(),
  );
  const foreign = await bench.app.inject({ url: '/api/v1/beds?cursor=%00', headers: { cookie } });
  expect(foreign.statusCode).toBe(400);
});

test('too many requests of one person rest that person, and nobody else', async () => {
  const app = await bench.serve({ limits: { requestsPerMinute: 5 } });
  const cookies = [await bench.signIn(['nurse']), await bench.signIn(['nurse'])];
  const ask = (n: number) => app.inject({ url: '/api/v1/wards', headers: { cookie: cookies[n] } });
  for (let n = 0; n < 5; n++) expect((await ask(0)).statusCode).toBe(200);
  const refused = await ask(0);
  expect([refused.statusCode, refused.json().code]).toEqual([429, 'API_TOO_MANY']);
  expect((await ask(1)).statusCode).toBe(200);
});

test('nesting is counted outside strings only', () => {
  expect(depthOf('{"a":[[{}]]}')).toBe(4);
  expect(depthOf('"[[[["')).toBe(0);
  expect(depthOf('["\\"[[[["]')).toBe(1);
});

test('a body over 1 MB is refused', async () => {
  const cookie = await bench.signIn(['admin']);
  const payload = { name: 'x'.repeat(1_100_000), profile: 'adult' };
  const answer = await bench.app.inject({
    method: 'POST',
    url: '/api/v1/wards',
    payload,
    headers: { cookie },
  });
  expect([answer.statusCode, answer.json().code]).toEqual([413, 'API_BODY_TOO_LARGE']);
});

test('one address cannot take all connections; headers have 10 s, a request 15 s', async () => {
  const app = await bench.serve({ limits: { connections: 50, connectionsPerAddress: 8 } });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const sockets = Array.from({ length: 20 }, () => connect({ host: '127.0.0.1', port }));
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  const ends = await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<'closed' | 'open'>((resolve) => {
          socket
            .on('error', () => resolve('closed'))
            .on('close', () => resolve('closed'))
            .resume();
          setTimeout(() => resolve('open'), 500);
        }),
    ),
  );
  expect(ends.filter((end) => end === 'open')).toHaveLength(8);
  expect(app.server.headersTimeout).toBe(10_000);
  expect(app.server.requestTimeout).toBe(15_000);
});

test('MQTT over WebSocket goes to the broker, other upgrades to the API', async () => {
  let handed = '';
  const app = await bench.serve({
    mqttUpgrade: (request, socket) => {
      handed = request.url ?? '';
      socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    },
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const upgrade = (path: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port });
      let text = '';
      socket.on('data', (data) => (text += data.toString())).on('close', () => resolve(text));
      const head = ['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
      socket.write(
        `GET ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\nSec-WebSocket-Key: ${'a'.repeat(22)}==\r\n\r\n`,
      );
    });
  expect(await upgrade('/mqtt')).toContain('101');
  expect(handed).toBe('/mqtt');
  expect(await upgrade('/api/v1/stream')).toContain('401');
  expect(await upgrade('/elsewhere')).toContain('404');
});

test('built screens are served at their own paths, and nothing beside them', async () => {
  const house = mkdtempSync(join(tmpdir(), 'vigil-web-'));
  onTestFinished(() => rmSync(house, { recursive: true }));
  const root = join(house, 'dist');
  mkdirSync(join(root, 'assets'), { recursive: true });
  writeFileSync(join(root, 'ward.html'), '<!doctype html><title>Ward</title>');
  writeFileSync(join(root, 'assets', 'ward-1a2b.js'), 'export {};');
  writeFileSync(join(root, '.secret'), 'no');
  writeFileSync(join(house, 'vigil.yaml'), 'secret: yes');
  symlinkSync(join(house, 'vigil.yaml'), join(root, 'link.yaml'));
  const app = await bench.serve({ webRoot: root });
  const get = (url: string) => app.inject(url);
  expect((await get('/')).headers.location).toBe('/ward');
  expect((await get('/ward')).body).toContain('<title>Ward</title>');
  expect((await get('/ward')).headers['cache-control']).toBe('no-cache');
  expect((await get('/assets/ward-1a2b.js')).headers['cache-control']).toContain('immutable');
  for (const url of [
    '/../vigil.yaml',
    '/%2e%2e/vigil.yaml',
    '/..%5cvigil.yaml',
    '//etc/passwd',
    '/.secret',
    '/handheld',
    '/link.yaml',
    '/assets/',
  ]) {
    const answer = await get(url);
    expect([400, 404], url).toContain(answer.statusCode);
    expect(answer.body).not.toContain('secret: yes');
  }
});

test('without built screens /ward says what to run', async () => {
  const app = await bench.serve({ webRoot: '/nowhere' });
  expect((await app.inject('/ward')).body).toContain('npm run prepare');
});
