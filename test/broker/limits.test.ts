import { describe, expect, test } from 'vitest';
import { accepted, connectPacket, openBroker, publishPacket, puback } from './house.ts';

const own = 'v1/device/mon-1/observations';

describe('time', () => {
  test('a connection that says nothing is closed after 5 s', async () => {
    await using house = await openBroker();
    const silent = await house.connect();
    await expect.poll(() => house.broker.stats().waiting).toBe(1);
    await house.clock.pass(4_999);
    expect(silent.isClosed()).toBe(false);
    await house.clock.pass(1);
    await silent.closed;
    expect(house.codes()).toEqual(['DOOR_PROTOCOL']);
  });

  test('a CONNECT that comes a byte a second is closed after 5 s all the same', async () => {
    await using house = await openBroker();
    const slow = await house.connect();
    for (const byte of connectPacket().subarray(0, 6)) {
      slow.send(Buffer.from([byte]));
      await house.clock.pass(1_000);
    }
    await slow.closed;
    expect(slow.got()).toBe('');
  });

  test('a client silent for one and a half keep-alives is closed, and its will published', async () => {
    await using house = await openBroker();
    const will = { topic: 'v1/device/mon-1/state' };
    const client = await house.client('mon-1', { keepaliveS: 10, will });
    await house.clock.pass(14_000);
    expect(await client.settled()).toBe(`${accepted}d000`);
    await house.clock.pass(15_000);
    expect(client.isClosed()).toBe(false);
    await house.clock.pass(1_000);
    await client.closed;
    expect(house.presence).toEqual(['+mon-1', '!mon-1', '-mon-1']);
  });

  test('a client without keep-alive may be silent', async () => {
    await using house = await openBroker();
    const client = await house.client('mon-1');
    await house.clock.pass(3_600_000);
    expect(await client.settled()).toBe(`${accepted}d000`);
  });
});

describe('connections', () => {
  test('in all: one more is refused, and there is room again when one leaves', async () => {
    await using house = await openBroker({ limits: { connections: 2 } });
    const first = await house.client('mon-1');
    await house.client('mon-2');
    const third = await house.connect();
    await third.closed;
    expect(house.codes()).toEqual(['DOOR_TOO_MANY']);
    first.destroy();
    await expect.poll(() => house.broker.stats().connections).toBe(1);
    expect((await house.client('mon-1')).got()).toBe(accepted);
  });

  test('per address', async () => {
    await using house = await openBroker({ limits: { connectionsPerAddress: 1 } });
    await house.client('mon-1');
    const second = await house.connect();
    await second.closed;
    expect(house.refused).toMatchObject([{ address: '127.0.0.1' }]);
  });

  test('of those that wait, the oldest yields to a newcomer, so a flood does not keep a good client out', async () => {
    await using house = await openBroker({ limits: { waitingPerAddress: 3 } });
    const flood = [];
    for (let at = 0; at < 3; at++) flood.push(await house.connect());
    await expect.poll(() => house.broker.stats().waiting).toBe(3);
    expect((await house.client('mon-1')).got()).toBe(accepted);
    await flood[0]?.closed;
    expect(flood[2]?.isClosed()).toBe(false);
    expect(house.broker.stats()).toMatchObject({ waiting: 2, signedIn: 1 });
  });
});

describe('bans', () => {
  test('two clients that take each other over are banned for 5 minutes; others are not disturbed', async () => {
    await using house = await openBroker();
    const other = await house.client('mon-2');
    for (let round = 0; round < 15; round++) expect((await house.client('mon-1')).got()).toBe(accepted);
    const banned = await house.client('mon-1');
    await banned.closed;
    expect(banned.got()).toBe('20020003');
    expect(house.codes()).toEqual(['DOOR_BANNED']);
    expect(house.broker.stats()).toMatchObject({ banned: 1, signedIn: 2 });
    other.send(publishPacket('v1/device/mon-2/state'));
    expect(await other.until(8)).toBe(accepted + puback(1));
    await house.clock.pass(299_000);
    expect((await house.client('mon-1')).got()).toBe('20020003');
    await house.clock.pass(1_000);
    expect((await house.client('mon-1')).got()).toBe(accepted);
  });

  test('15 connects a minute are no flapping', async () => {
    await using house = await openBroker();
    for (let round = 0; round < 40; round++) {
      expect((await house.client('mon-1')).got()).toBe(accepted);
      await house.clock.pass(4_001);
    }
  });

  test('a wrong secret in a loop bans that id at that address, right secret or not, and nobody else', async () => {
    await using house = await openBroker();
    for (let round = 0; round < 16; round++) {
      expect((await house.client('mon-1', { password: 'wrong' })).got()).toBe('20020005');
    }
    expect((await house.client('mon-1')).got()).toBe('20020003');
    expect((await house.client('mon-2')).got()).toBe(accepted);
    await house.clock.pass(300_000);
    expect((await house.client('mon-1')).got()).toBe(accepted);
  });
});

describe('unconfirmed publications', () => {
  const many = (count: number, from = 1) =>
    Array.from({ length: count }, (_, at) => publishPacket(own, '{}', { id: from + at }));

  test('of one client: its socket is left unread at the bound, nothing is dropped, and it goes on', async () => {
    await using house = await openBroker({ confirmAtOnce: false, limits: { pendingPerClient: 10 } });
    const client = await house.client('mon-1');
    client.send(...many(100));
    await expect.poll(() => house.taken.length).toBe(10);
    const other = await house.client('mon-2');
    other.send(publishPacket('v1/device/mon-2/state'));
    await other.settled();
    expect(house.taken.length).toBe(11);
    for (let at = 0; at < 101; at++) {
      await expect.poll(() => house.taken.length).toBeGreaterThan(at);
      expect(house.broker.stats().pending).toBeLessThanOrEqual(11);
      house.taken[at]?.confirm();
    }
    expect(await client.until(404)).toBe(
      accepted +
        many(100)
          .map((_, at) => puback(at + 1))
          .join(''),
    );
    expect(house.broker.stats().heldBack).toBeGreaterThan(0);
  });

  test('of one client in bytes', async () => {
    await using house = await openBroker({ confirmAtOnce: false, limits: { pendingBytesPerClient: 100 } });
    const client = await house.client('mon-1');
    client.send(...[1, 2, 3, 4].map((id) => publishPacket(own, 'x'.repeat(60), { id })));
    await expect.poll(() => house.taken.length).toBe(2);
    house.taken[0]?.confirm();
    await expect.poll(() => house.taken.length).toBe(3);
  });

  test('of all clients: each is served in turn as room comes back', async () => {
    await using house = await openBroker({ confirmAtOnce: false, limits: { pendingInAll: 4 } });
    const first = await house.client('mon-1');
    first.send(...many(20));
    await expect.poll(() => house.taken.length).toBe(4);
    const second = await house.client('mon-2');
    second.send(...[1, 2, 3].map((id) => publishPacket('v1/device/mon-2/state', '{}', { id })));
    await expect.poll(() => house.broker.stats().heldBack).toBe(2);
    for (let at = 0; at < 23; at++) {
      await expect.poll(() => house.taken.length).toBeGreaterThan(at);
      expect(house.broker.stats().pending).toBeLessThanOrEqual(4);
      house.taken[at]?.confirm();
    }
    expect(house.taken.findIndex(({ clientId }) => clientId === 'mon-2')).toBeLessThan(6);
    expect(await first.until(84)).toHaveLength(168);
    expect(await second.until(16)).toHaveLength(32);
  });

  test('nobody is called late whose socket we do not read', async () => {
    await using house = await openBroker({ confirmAtOnce: false, limits: { pendingPerClient: 1 } });
    const client = await house.client('mon-1', { keepaliveS: 1 });
    client.send(...many(3));
    await expect.poll(() => house.broker.stats().heldBack).toBe(1);
    await house.clock.pass(10_000);
    expect(client.isClosed()).toBe(false);
  });

  test('a client that is woken and gone leaves its turn to the next', async () => {
    await using house = await openBroker({ confirmAtOnce: false, limits: { pendingInAll: 1 } });
    const [first, second, third] = [
      await house.client('mon-1'),
      await house.client('mon-2'),
      await house.client('esp-1'),
    ];
    first.send(publishPacket(own));
    await expect.poll(() => house.taken.length).toBe(1);
    second.send(publishPacket('v1/device/mon-2/state'));
    third.send(publishPacket('v1/device/esp-1/state'));
    await expect.poll(() => house.broker.stats().heldBack).toBe(2);
    house.broker.disconnect('mon-2', 'test');
    house.taken[0]?.confirm();
    await expect.poll(() => house.taken.map(({ clientId }) => clientId)).toEqual(['mon-1', 'esp-1']);
  });
});

describe('refusals', () => {
  test('are logged at once, then once a minute with their number', async () => {
    await using house = await openBroker({ limits: { connectsPerMinute: 1_000 } });
    for (let round = 0; round < 20; round++)
      await (
        await house.client('mon-1', { password: 'wrong' })
      ).closed;
    expect(house.refused).toHaveLength(20);
    expect(house.logged).toMatchObject([{ code: 'DOOR_NOT_AUTHENTICATED', client: 'mon-1', count: 1 }]);
    await house.clock.pass(60_000);
    expect(house.logged).toHaveLength(2);
    expect(house.logged[1]).toMatchObject({ client: 'mon-1', count: 19 });
    await house.clock.pass(60_000);
    expect(house.logged).toHaveLength(2);
    expect(house.broker.stats().refusals).toEqual({ DOOR_NOT_AUTHENTICATED: 20 });
  });

  test('carry no secret and no control character into the log', async () => {
    await using house = await openBroker();
    const client = await house.client('a\r\nb\u001b[31m\u202e', { password: 'my secret' });
    await client.closed;
    const line = JSON.stringify(house.logged);
    expect(line).not.toContain('my secret');
    expect(line).not.toMatch(/\\r|\\n|\u202e/);
    expect(house.logged).toHaveLength(1);
  });
});
