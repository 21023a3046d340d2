import { expect, test } from 'vitest';
import { DeliveryQueue } from '../../../gateway/delivery/queue.ts';
import type { Alarm, Priority } from '../../../model/alarm.ts';
import type { AlarmDelivery, DeliverySound } from '../../../model/stream.ts';

const alarm = (id: string, priority: Priority = 'low', bed = 'bed-1') => ({ id, priority, bed }) as Alarm;

function openQueue() {
  const told: string[] = [];
  const queue = new DeliveryQueue({ epoch: 'e', told: (what, id) => told.push(`${what} ${id}`) });
  const came: AlarmDelivery[] = [];
  const send = (text: string): void => {
    came.push(...(JSON.parse(text) as { deliveries: AlarmDelivery[] }).deliveries);
  };
  const put = (one: Alarm, sound: DeliverySound = 'alarm'): void =>
    queue.put({ alarm: one, sound, cause: 'raised', also: [] });
  return { queue, told, came, send, put };
}

test('what was put before it connects is sent then, high first', () => {
  const { queue, came, send, put } = openQueue();
  put(alarm('a'));
  put(alarm('b', 'high'));
  put(alarm('c', 'medium'));
  queue.connect(send);
  expect(came.map((one) => one.alarm.id)).toEqual(['b', 'c', 'a']);
});

test('what ended before it was sent is never sent', () => {
  const { queue, came, send, put } = openQueue();
  put(alarm('a'));
  put(alarm('a'), 'none');
  queue.connect(send);
  expect(came).toEqual([]);
});

test('low ones beyond what may be on the way wait, and then travel as one a bed; a high one passes them', () => {
  const { queue, came, send, put, told } = openQueue();
  queue.connect(send);
  for (let n = 0; n < 100; n++) put(alarm(`low-${n}`, 'low', `bed-${n % 2}`));
  expect(came).toHaveLength(32);
  put(alarm('high', 'high'));
  expect(came.at(-1)?.alarm.id).toBe('high');
  queue.received(came.map((one) => one.number));
  const groups = came.slice(33).map((one) => one.group?.length ?? 1);
  expect(groups.slice(0, 2)).toEqual([34, 34]);
  queue.received(came.map((one) => one.number));
  expect(told.filter((one) => one.startsWith('received'))).toHaveLength(101);
  expect(queue.depth).toBe(0);
});

test('a handheld that comes back gets what came after its place, and all of it when it has none', () => {
  const { queue, came, send, put } = openQueue();
  queue.connect(send);
  put(alarm('a', 'high'));
  put(alarm('b', 'high'));
  const [first] = came;
  queue.received([first?.number ?? 0]);
  queue.disconnect();
  put(alarm('c', 'high'));
  came.length = 0;
  queue.connect(send, { epoch: 'e', number: first?.number ?? 0 });
  expect(came.map((one) => one.alarm.id)).toEqual(['b', 'c']);
  queue.disconnect();
  came.length = 0;
  queue.connect(send, { epoch: 'another', number: 99 });
  expect(came.map((one) => one.alarm.id)).toEqual(['a', 'b', 'c']);
});

test('an ended alarm is told until it is received, then forgotten', () => {
  const { queue, came, send, put } = openQueue();
  queue.connect(send);
  put(alarm('a', 'high'));
  queue.received(came.map((one) => one.number));
  put(alarm('a', 'high'), 'none');
  expect(came.at(-1)?.sound).toBe('none');
  // What it shows has ended meanwhile: it was shown all the same.
  expect(queue.alarmsOf(came[0]?.number ?? 0)).toEqual(['a']);
  queue.received(came.map((one) => one.number));
  queue.disconnect();
  came.length = 0;
  queue.connect(send);
  expect(came).toEqual([]);
});

test('more low ones than a queue holds: the oldest is given up and told, never a high one', () => {
  const { told, put } = openQueue();
  put(alarm('high', 'high'));
  for (let n = 0; n < 5_001; n++) put(alarm(`low-${n}`));
  expect(told).toEqual(['overflow low-0']);
});

test('what waited while a high one passed it, and was lost on the way, is sent again', () => {
  const { queue, came, send, put, told } = openQueue();
  queue.connect(send);
  for (let n = 0; n < 33; n++) put(alarm(`medium-${n}`, 'medium', `bed-${n}`));
  put(alarm('high', 'high'));
  const arrived = came.map((one) => one.number);
  // Room again: what waited leaves, and the connection breaks before it arrives.
  queue.received(arrived);
  expect(came.at(-1)?.alarm.id).toBe('medium-32');
  queue.disconnect();
  came.length = 0;
  queue.connect(send, { epoch: 'e', number: Math.max(...arrived) });
  expect(came.map((one) => one.alarm.id)).toEqual(['medium-32']);
  expect(told).not.toContain('received medium-32');
});
