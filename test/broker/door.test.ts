import { describe, expect, test } from 'vitest';
import { Fault } from '../../model/fault.ts';
import { accepted, openBroker, publishPacket, puback, subscribePacket } from './house.ts';

const own = 'v1/device/mon-1/observations';
const state = 'v1/device/mon-1/state';

describe('what a client publishes', () => {
  test('is taken with who sent it, before any answer', async () => {
    await using house = await openBroker({ confirmAtOnce: false });
    const client = await house.client('mon-1');
    client.send(publishPacket(own, '{"seq":1}', { id: 7 }));
    expect(await client.settled()).toBe(`${accepted}d000`);
    expect(house.taken).toMatchObject([
      {
        identity: { kind: 'device', id: 'mon-1' },
        clientId: 'mon-1',
        topic: { kind: 'device', device: 'mon-1', branch: 'observations' },
        payload: Buffer.from('{"seq":1}'),
        qos: 1,
        retain: false,
        will: false,
      },
    ]);
    house.taken[0]?.confirm();
    expect(await client.until(10)).toBe(`${accepted}d000${puback(7)}`);
    expect(house.broker.stats()).toMatchObject({ pending: 0, pendingBytes: 0, publications: 1 });
  });

  test('is answered in the order it came, however it is confirmed [MQTT-4.6.0-2]', async () => {
    await using house = await openBroker({ confirmAtOnce: false });
    const client = await house.client('mon-1');
    client.send(...[1, 2, 3, 4].map((id) => publishPacket(own, '{}', { id })));
    await client.settled();
    for (const at of [3, 1, 2]) house.taken[at]?.confirm();
    expect(await client.settled()).toBe(`${accepted}d000d000`);
    house.taken[0]?.confirm();
    expect(await client.until(24)).toBe(`${accepted}d000d000${[1, 2, 3, 4].map(puback).join('')}`);
  });

  test('is answered once, though it be confirmed twice', async () => {
    await using house = await openBroker({ confirmAtOnce: false });
    const client = await house.client('mon-1');
    client.send(publishPacket(own));
    await client.settled();
    house.taken[0]?.confirm();
    house.taken[0]?.confirm();
    house.taken[0]?.confirm(new Fault('JOURNAL_WRITE', { cause: 'late' }));
    expect(await client.settled()).toBe(`${accepted}d000${puback(1)}d000`);
    expect(house.broker.stats().pending).toBe(0);
  });

  test('is not answered when the gateway cannot keep it: the connection ends, so it comes again', async () => {
    await using house = await openBroker({ confirmAtOnce: false });
    const client = await house.client('mon-1');
    client.send(publishPacket(own));
    await client.settled();
    house.taken[0]?.confirm(new Fault('JOURNAL_WRITE', { cause: 'ENOSPC' }));
    await client.closed;
    expect(client.got()).toBe(`${accepted}d000`);
  });

  test('ends its own connection alone when taking it breaks an assumption of ours', async () => {
    await using house = await openBroker({
      override: {
        take: ({ clientId }, confirm) => {
          if (clientId === 'mon-1') throw new Error('a broken assumption');
          confirm();
        },
      },
    });
    const other = await house.client('mon-2');
    const client = await house.client('mon-1');
    client.send(publishPacket(own));
    await client.closed;
    other.send(publishPacket('v1/device/mon-2/state'));
    expect(await other.until(8)).toBe(accepted + puback(1));
  });

  test('may be confirmed after its connection is gone', async () => {
    await using house = await openBroker({ confirmAtOnce: false });
    const client = await house.client('mon-1');
    client.send(publishPacket(own));
    await client.settled();
    client.destroy();
    await expect.poll(() => house.presence).toEqual(['+mon-1', '-mon-1']);
    expect(house.broker.stats().pending).toBe(1);
    house.taken[0]?.confirm();
    expect(house.broker.stats().pending).toBe(0);
  });

  test('is never retained', async () => {
    await using house = await openBroker();
    const client = await house.client('host-1');
    client.send(publishPacket('v1/host/host-1/state', '{}', { header: 0x33 }));
    expect(await client.until(8)).toBe(accepted + puback(1));
    expect(house.taken).toMatchObject([{ retain: true }]);
    house.identities.set('board-2', { kind: 'reader', id: 'board-2', ward: 'icu' });
    const display = await house.client('board-2');
    display.send(subscribePacket(['v1/ward/icu/#'], 0));
    expect(await display.settled()).toBe(`${accepted}9003000100d000`);
  });
});

describe('what the gateway publishes', () => {
  test('reaches the host it is for, and its retained state whoever subscribes later', async () => {
    await using house = await openBroker();
    house.broker.publish('v1/host/host-1/config', Buffer.from('{"revision":1}'), { retain: true });
    const host = await house.client('host-1');
    host.send(subscribePacket(['v1/host/host-1/config', 'v1/host/host-1/raw']));
    const retained = publishPacket('v1/host/host-1/config', '{"revision":1}', { header: 0x33 });
    await host.until(10 + retained.length);
    const got = Buffer.from(host.got(), 'hex').subarray(10);
    expect(got[0]).toBe(0x33);
    expect(got.toString('latin1')).toContain('{"revision":1}');
    house.broker.publish('v1/host/host-1/raw', Buffer.from('72'));
    await host.until(10 + retained.length + publishPacket('v1/host/host-1/raw', '72').length);
    expect(Buffer.from(host.got(), 'hex').toString('latin1').endsWith('72')).toBe(true);
  });
});

describe('presence', () => {
  test('a will is published when the connection is cut, before the client is gone', async () => {
    await using house = await openBroker();
    const client = await house.client('mon-1', {
      will: { topic: state, payload: '{"link":"death"}' },
      flags: 0x08,
    });
    client.destroy();
    await expect.poll(() => house.presence).toEqual(['+mon-1', '!mon-1', '-mon-1']);
    expect(house.taken).toMatchObject([
      {
        will: true,
        topic: { kind: 'device', branch: 'state' },
        payload: Buffer.from('{"link":"death"}'),
        qos: 1,
      },
    ]);
    expect(house.broker.stats().pending).toBe(0);
  });

  test('a will is published when the client breaks the protocol, too', async () => {
    await using house = await openBroker();
    const client = await house.client('mon-1', { will: { topic: state } });
    client.send('f000');
    await client.closed;
    expect(house.presence).toEqual(['+mon-1', '!mon-1', '-mon-1']);
  });

  test('a client that is refused again and again over its will is banned, too', async () => {
    await using house = await openBroker();
    const will = { topic: 'v1/device/mon-2/state' };
    for (let round = 0; round < 15; round++) {
      expect((await house.client('mon-1', { will })).got()).toBe('20020005');
    }
    expect((await house.client('mon-1', { will })).got()).toBe('20020003');
    expect(house.refused[0]).toMatchObject({ client: 'mon-1', topic: 'v1/device/mon-2/state' });
    expect(house.presence).toEqual([]);
  });

  test('no will after DISCONNECT', async () => {
    await using house = await openBroker();
    const client = await house.client('mon-1', { will: { topic: state } });
    client.send('e000', publishPacket(own));
    await client.closed;
    expect(house.presence).toEqual(['+mon-1', '-mon-1']);
    expect(house.taken).toEqual([]);
  });

  test("a foreign device's retained will is taken and not retained", async () => {
    await using house = await openBroker();
    const client = await house.client('esp-1', {
      will: { topic: 'home/LWT', payload: 'offline' },
      flags: 0x20,
    });
    expect(client.got()).toBe(accepted);
    client.destroy();
    await expect.poll(() => house.presence).toEqual(['+esp-1', '!esp-1', '-esp-1']);
  });

  test('the same identity takes over: the old one dies first, the new one goes on', async () => {
    await using house = await openBroker();
    const first = await house.client('mon-1', { will: { topic: state } });
    const second = await house.client('mon-1');
    await first.closed;
    expect(house.presence).toEqual(['+mon-1', '!mon-1', '-mon-1', '+mon-1']);
    second.send(publishPacket(own));
    expect(await second.until(8)).toBe(accepted + puback(1));
    expect(house.broker.stats()).toMatchObject({ signedIn: 1, takenOver: 1 });
  });

  test('a wrong secret takes nobody over', async () => {
    await using house = await openBroker();
    const first = await house.client('mon-1');
    const thief = await house.client('mon-1', { password: 'guess' });
    await thief.closed;
    expect(thief.got()).toBe('20020005');
    first.send(publishPacket(own));
    expect(await first.until(8)).toBe(accepted + puback(1));
    expect(house.presence).toEqual(['+mon-1']);
  });

  test('a host with subscriptions is taken over and still gets its messages', async () => {
    await using house = await openBroker();
    for (const round of [1, 2, 3]) {
      const host = await house.client('host-1', { clean: false });
      host.send(subscribePacket(['v1/host/host-1/request']));
      await host.until(9);
      house.broker.publish('v1/host/host-1/request', Buffer.from(`r${round}`));
      await expect.poll(() => Buffer.from(host.got(), 'hex').toString('latin1')).toContain(`r${round}`);
    }
    expect(house.presence).toEqual(['+host-1', '-host-1', '+host-1', '-host-1', '+host-1']);
  });

  test('revoked credentials end the connection at once', async () => {
    await using house = await openBroker();
    const client = await house.client('mon-1');
    house.broker.disconnect('mon-1', 'credentials were revoked');
    await client.closed;
    expect(house.presence).toEqual(['+mon-1', '-mon-1']);
    house.broker.disconnect('nobody', 'credentials were revoked');
  });

  test('closing the broker ends every connection and publishes no will', async () => {
    const house = await openBroker();
    const client = await house.client('mon-1', { will: { topic: state } });
    await house.broker.close();
    await client.closed;
    expect(house.taken).toEqual([]);
  });
});
