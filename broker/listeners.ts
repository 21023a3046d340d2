import type { IncomingMessage } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { createWebSocketStream, WebSocketServer, type WebSocket } from 'ws';
import type { Place } from './crowd.ts';
import type { Door } from './door.ts';
import type { BrokerLimits } from './limits.ts';

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** Certificate and key; absent for plain TCP. */
  readonly tls?: TlsOptions;
}

export interface BrokerListener {
  readonly port: number;
  close(): Promise<void>;
}

/** Half-open connections are found by the kernel when a client asked for no keep-alive. */
const probeMs = 30_000;

/** Listens for MQTT over TCP or TLS. Rejects when the port cannot be had. */
export async function listen(
  door: Door,
  limits: BrokerLimits,
  options: ListenOptions,
): Promise<BrokerListener> {
  const { host, port, tls } = options;
  const sockets = new Set<Socket>();
  const places = new Map<string, Place>();
  /** Takes a place for a socket; the raw one under TLS, so that handshakes that never end are bounded too. */
  const enter = (socket: Socket): Place | undefined => {
    socket.on('error', () => socket.destroy());
    const peer = peerOf(socket);
    const place = door.crowd.enter(socket, socket.remoteAddress ?? 'unknown');
    if (!place) return undefined;
    sockets.add(socket);
    places.set(peer, place);
    socket.once('close', () => {
      sockets.delete(socket);
      places.delete(peer);
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, probeMs);
    return place;
  };
  const accept = (socket: Socket, place: Place | undefined): void => {
    if (place) door.accept(socket, place);
    else socket.destroy();
  };
  const server = tls
    ? createTlsServer({ ...minimumTls, ...tls, handshakeTimeout: limits.connectDeadlineMs })
        .on('connection', enter)
        .on('tlsClientError', (_error, socket) => socket.destroy())
        .on('secureConnection', (socket) => accept(socket, places.get(peerOf(socket))))
    : createTcpServer((socket) => accept(socket, enter(socket)));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** The other end of a connection; a TLS socket has the same as the socket under it. */
const peerOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;

const minimumTls = { minVersion: 'TLSv1.2' } as const;

export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * MQTT over WebSocket: the caller routes upgrades of its path here. The sub-protocol must be `mqtt`
 * [MQTT-6.0.0-3, -4] and every frame binary [MQTT-6.0.0-1].
 */
export function createUpgrade(
  door: Door,
  limits: BrokerLimits,
): { readonly upgrade: Upgrade; close(): void } {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: limits.waveformBytes,
    handleProtocols: (protocols) => (protocols.has('mqtt') ? 'mqtt' : false),
  });
  const upgrade: Upgrade = (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (!offersMqtt(request)) {
      socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\nsub-protocol mqtt is needed\r\n');
      return;
    }
    const place = door.crowd.enter(socket, request.socket.remoteAddress ?? 'unknown');
    if (!place) return;
    server.handleUpgrade(request, socket, head, (webSocket) => {
      door.accept(binaryStream(webSocket), place);
    });
  };
  return { upgrade, close: () => server.close() };
}

const offersMqtt = (request: IncomingMessage): boolean =>
  String(request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .some((name) => name.trim() === 'mqtt');

function binaryStream(webSocket: WebSocket): Duplex {
  webSocket.on('message', (_data, isBinary) => {
    if (!isBinary) webSocket.terminate();
  });
  return createWebSocketStream(webSocket);
}
