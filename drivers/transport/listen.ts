import { createServer, type Socket } from 'node:net';
import { Fault } from '../../model/fault.ts';
import type { Listener } from '../driver.ts';
import { withDeadline, type Deadline } from './deadline.ts';

export interface ListenAddress {
  readonly address: string;
  readonly port: number;
  /** Connections at once; one more is closed at once. */
  readonly most: number;
}

/** Lets devices connect to us. Ended connections are forgotten; close() ends all that are left. */
export function openListener(
  { address, port, most }: ListenAddress,
  deadline: Deadline,
  accept: (peer: Socket) => void,
): Promise<Listener & { readonly port: number }> {
  const peers = new Set<Socket>();
  const server = createServer({ noDelay: true, keepAlive: true }, (peer) => {
    peer.on('error', () => {});
    peer.on('close', () => peers.delete(peer));
    peers.add(peer);
    accept(peer);
  });
  server.maxConnections = most;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const peer of peers) peer.destroy();
      server.close(() => resolve());
    });
  const name = `tcp://${address}:${port}`;
  return withDeadline(
    deadline,
    () => new Fault('WIRE_TIMEOUT', { address: name, deadlineMs: deadline.deadlineMs }),
    () =>
      new Promise<Listener & { readonly port: number }>((resolve, reject) => {
        server.once('error', (cause) => reject(new Fault('WIRE_REFUSED', { address: name }, { cause })));
        server.listen(port, address, () => {
          server.on('error', () => {});
          const bound = server.address();
          resolve({ close, port: typeof bound === 'object' && bound ? bound.port : port });
        });
      }),
    (late) => void late.close(),
  );
}
