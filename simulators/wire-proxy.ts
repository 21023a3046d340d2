import { connect, type Socket } from 'node:net';
import { listen } from './serial-line.ts';
import type { Mischief } from './mischief.ts';

/** A TCP wire with mischief in it, in front of a server that knows nothing of it. */
export interface WireProxy {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Listens on loopback and carries every connection to `targetPort()`; what the server answers goes through the mischief, and
 * a cut closes all connections and refuses new ones until it ends. Throws SIM_PORT.
 */
export async function openWireProxy(options: {
  readonly mischief: Mischief;
  /** Asked at each connection, so the server behind may open after the proxy. */
  readonly targetPort: () => number;
  readonly port?: number;
}): Promise<WireProxy> {
  const { mischief, targetPort } = options;
  const open = new Set<Socket>();
  const keep = (socket: Socket): void => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  };

  const server = await listen(options.port ?? 0, (near) => {
    if (mischief.active('cut')) return void near.destroy();
    const far = connect(targetPort(), '127.0.0.1');
    const back = mischief.bytes();
    const drop = (): void => {
      near.destroy();
      far.destroy();
      back.destroy();
    };
    for (const socket of [near, far]) {
      keep(socket);
      socket.setNoDelay(true);
      // The peer sees its own end close; a reset of one side needs no other word here.
      socket.on('error', drop);
      socket.on('close', drop);
    }
    near.pipe(far);
    far.pipe(back).pipe(near);
  });
  mischief.onCut((cut) => {
    if (cut) for (const socket of open) socket.destroy();
  });

  const address = server.address();
  return {
    port: address && typeof address === 'object' ? address.port : 0,
    close: () => {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
}
