import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accepted, connectPacket, hex, rawClient } from './house.ts';

// Goal: 100 MB from a stranger end in a closed socket and less than 20 MB of growth.
let child: ChildProcess;
let lines: AsyncIterator<string>;
let port = 0;

const nextLine = async (): Promise<number> => Number((await lines.next()).value);
const rss = async (): Promise<number> => {
  child.stdin?.write('rss\n');
  return nextLine();
};

beforeAll(async () => {
  const program = fileURLToPath(new URL('flood-broker.ts', import.meta.url));
  child = spawn(process.execPath, ['--expose-gc', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  port = await nextLine();
});
afterAll(async () => {
  child.stdin?.end();
  await once(child, 'exit');
});

/** Writes until all is sent or the peer has closed. */
async function pour(socket: Socket, total: number): Promise<void> {
  const block = Buffer.alloc(65_536, 0x41);
  for (let sent = 0; sent < total && !socket.destroyed; sent += block.length) {
    if (!socket.write(block))
      await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
  }
}

const megabyte = 2 ** 20;
const floods: readonly (readonly [string, Buffer, string])[] = [
  ['100 MB that are no CONNECT', Buffer.alloc(0), ''],
  ['a CONNECT of 100 MB', hex('10 80 80 80 32 00 04 4d51 5454'), ''],
  [
    'a CONNECT that claims 4 kB and 100 MB after it',
    Buffer.concat([hex('10 80 1f'), Buffer.alloc(4_000)]),
    '20020001',
  ],
  [
    'a PUBLISH of 100 MB by a signed-in device',
    Buffer.concat([connectPacket(), hex('32 80 80 80 32 00 02 61 61')]),
    accepted,
  ],
];

test.each(floods)('%s: closed, and memory stays', async (_name, head, answer) => {
  const before = await rss();
  const socket = connect(port, '127.0.0.1');
  const client = await rawClient(socket);
  client.send(head);
  if (answer === accepted) await client.until(4);
  await pour(socket, 100 * megabyte);
  await client.closed;
  expect(client.got()).toBe(answer);
  expect((await rss()) - before).toBeLessThan(20 * megabyte);
});
