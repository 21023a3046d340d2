import { createServer, type Socket } from 'node:net';

/** A device on the other side of a real TCP connection: the test writes what it says to what it hears. */
export interface Peer extends AsyncDisposable {
  readonly port: number;
  /** All bytes heard so far. */
  heard(): Buffer;
  /** Sends on the newest connection. */
  say(bytes: Uint8Array | string): void;
  /** Cuts the connection, as a pulled cable behind a device server does. */
  cut(): void;
  readonly connections: number;
}

/** `answer` is given each piece that arrives, and sends what it likes. */
export async function openPeer(
  answer: (piece: Buffer, say: (bytes: Uint8Array | string) => void) => void = () => {},
): Promise<Peer> {
  const pieces: Buffer[] = [];
  const sockets: Socket[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (piece: Buffer) => {
      pieces.push(piece);
      answer(piece, (bytes) => void socket.write(bytes));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound ? bound.port : 0,
    heard: () => Buffer.concat(pieces),
    say: (bytes) => void sockets.at(-1)?.write(bytes),
    cut: () => void sockets.at(-1)?.destroy(),
    get connections() {
      return sockets.length;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
