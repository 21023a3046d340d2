import { describe, expect, test } from 'vitest';
import { accepted, openBroker, publishPacket, puback, subscribePacket } from './house.ts';

// Goal: one reader that stops reading is dropped, and nobody else waits 2 s for it.
describe.each([
  ['much at once: dropped for the bytes that wait', {}, Buffer.alloc(60_000), 400],
  [
    'a little: dropped when its socket took nothing for a second',
    { queuedBytesPerClient: 2 ** 30 },
    Buffer.alloc(60_000),
    400,
  ],
])('a host that stops reading is sent %s', (_name, limits, payload, count) => {
  test('the others are answered and served meanwhile', { timeout: 15_000 }, async () => {
    await using house = await openBroker({ limits });
    house.identities.set('host-2', { kind: 'host', id: 'host-2', devices: new Set() });
    const stalled = await house.client('host-1');
    stalled.send(subscribePacket(['v1/host/host-1/raw']));
    await stalled.until(9);
    stalled.stream.pause();
    const reading = await house.client('host-2');
    reading.send(subscribePacket(['v1/host/host-2/raw']));
    await reading.until(9);
    const device = await house.client('mon-1');

    let worstMs = 0;
    const timed = async (work: () => Promise<unknown>) => {
      const begin = performance.now();
      await work();
      worstMs = Math.max(worstMs, performance.now() - begin);
    };
    for (let at = 0; at < count; at++) house.broker.publish('v1/host/host-1/raw', payload);
    const perMessage = publishPacket('v1/host/host-2/raw', 'x').length;
    for (let round = 1; house.broker.stats().signedIn === 3 || round <= 20; round++) {
      await timed(() => {
        house.broker.publish('v1/host/host-2/raw', Buffer.from('x'));
        device.send(publishPacket('v1/device/mon-1/observations', '{}', { id: round }));
        return Promise.all([device.until(4 + 4 * round), reading.until(9 + perMessage * round)]);
      });
      await new Promise(setImmediate);
    }
    expect(worstMs).toBeLessThan(2_000);
    expect(house.codes()).toEqual(['DOOR_SLOW']);
    expect(house.presence).toContain('-host-1');
    expect(device.got().startsWith(accepted + puback(1))).toBe(true);
  });
});
