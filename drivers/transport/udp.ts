import { createSocket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import { Fault } from '../../model/fault.ts';
import type { DatagramPort } from '../driver.ts';
import { withDeadline, type Deadline } from './deadline.ts';

export interface UdpAddress {
  /** What to bind to; port 0 lets the system choose. */
  readonly bind: { readonly address: string; readonly port: number };
  /** The device: where datagrams go, and the only one they are taken from. Absent: anybody's are taken. */
  readonly peer?: { readonly address: string; readonly port: number };
}

/** A bound UDP port. Emits `message` (bytes, { address, port }) and `close`; datagrams of others are dropped. */
export function openUdp({ bind, peer }: UdpAddress, deadline: Deadline): Promise<DatagramPort> {
  const address = `udp://${bind.address}:${bind.port}`;
  const socket = createSocket(bind.address.includes(':') ? 'udp6' : 'udp4');
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    socket.close();
  };
  return withDeadline(
    deadline,
    () => new Fault('WIRE_TIMEOUT', { address, deadlineMs: deadline.deadlineMs }),
    () =>
      new Promise<DatagramPort>((resolve, reject) => {
        const failed = (cause: Error): void => reject(new Fault('WIRE_REFUSED', { address }, { cause }));
        socket.once('error', failed);
        socket.bind(bind.port, bind.address, () => {
          socket.off('error', failed);
          const port = Object.assign(new EventEmitter(), {
            send: (datagram: Buffer, to = peer): void => {
              if (to && !closed) socket.send(datagram, to.port, to.address);
            },
            close,
          });
          socket.on('error', close);
          socket.on('close', () => port.emit('close'));
          socket.on('message', (bytes, from) => {
            if (peer && (from.address !== peer.address || from.port !== peer.port)) return;
            port.emit('message', bytes, from);
          });
          resolve(port);
        });
      }),
    (late) => late.close(),
  ).catch((error: unknown) => {
    close();
    throw error;
  });
}
