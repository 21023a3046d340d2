import { connect, type Socket } from 'node:net';
import { Fault } from '../../model/fault.ts';
import { withDeadline, type Deadline } from './deadline.ts';

/** Connects to `host:port`; Fault WIRE_REFUSED, WIRE_CLOSED or WIRE_TIMEOUT. */
export function openTcp(host: string, port: number, deadline: Deadline): Promise<Socket> {
  const address = `tcp://${host}:${port}`;
  let socket: Socket | undefined;
  const timeout = (): Fault => {
    socket?.destroy();
    return new Fault('WIRE_TIMEOUT', { address, deadlineMs: deadline.deadlineMs });
  };
  return withDeadline(
    deadline,
    timeout,
    () =>
      new Promise<Socket>((resolve, reject) => {
        const opening = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 5_000 });
        socket = opening;
        const failed = (cause: NodeJS.ErrnoException): void => {
          opening.destroy();
          reject(
            new Fault(cause.code === 'ECONNREFUSED' ? 'WIRE_REFUSED' : 'WIRE_CLOSED', { address }, { cause }),
          );
        };
        opening.once('error', failed);
        opening.once('connect', () => {
          opening.off('error', failed);
          // The close that follows an error is what the driver acts on; the error itself must not end the program.
          opening.on('error', () => {});
          resolve(opening);
        });
      }),
    (late) => late.destroy(),
  ).catch((error: unknown) => {
    socket?.destroy();
    throw error;
  });
}
