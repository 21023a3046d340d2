import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export const streamPath = '/api/v1/stream';

/**
 * Upgrades to /mqtt go to the broker, those to the stream reach the API through the emitter given back, which stands in
 * for the server towards @fastify/websocket. Any other is answered and closed here: the router would leave it open.
 */
export function takeUpgrades(
  server: Server,
  mqtt?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void,
): Server {
  const others = new EventEmitter();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const path = (request.url ?? '').split('?', 1)[0];
    if (mqtt && path === '/mqtt') mqtt(request, socket, head);
    else if (path === streamPath && others.listenerCount('upgrade') > 0)
      others.emit('upgrade', request, socket, head);
    else {
      socket.on('error', () => socket.destroy());
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    }
  });
  return others as unknown as Server;
}

/** One address cannot take all connections; past the bound it is cut before a byte is read. */
export function boundConnections(
  server: Server,
  limits: { readonly connections: number; readonly connectionsPerAddress: number },
): void {
  server.maxConnections = limits.connections;
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? 'unknown';
    const count = (open.get(address) ?? 0) + 1;
    open.set(address, count);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
    if (count > limits.connectionsPerAddress) socket.destroy();
  });
}
