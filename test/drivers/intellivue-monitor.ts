import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { createSerialFrames, wrapSerial } from '../../drivers/philips-intellivue/serial.ts';
import * as made from './intellivue-frames.ts';

export interface ScriptedMonitor extends AsyncDisposable {
  readonly port: number;
  /** Every request it got, in order. */
  readonly got: Buffer[];
  /** Requests of a kind: a session header by its first byte, data by its command. */
  count(kind: RequestKind): number;
  send(message: Buffer): void;
  /** Bytes as they are, on a stream. */
  raw(bytes: Buffer): void;
  cut(): void;
}
export type RequestKind =
  'associate' | 'release' | 'create-result' | 'self' | 'numeric' | 'alarms' | 'wave' | 'set';

export interface Script {
  /** What it answers an association request with; accepted and a create event when absent. */
  readonly associate?: (send: (message: Buffer) => void) => void;
  readonly release?: boolean;
}

export const accepted = Buffer.from([0x0e, 0x00]);
export const refused = Buffer.from([0x0c, 0x00]);
export const abort = Buffer.from([0x19, 0x00]);

export function kindOf(request: Buffer): RequestKind | undefined {
  if (request[0] === 0x0d) return 'associate';
  if (request[0] === 0x09) return 'release';
  if (request.readUInt16BE(4) === 2) return 'create-result';
  const command = request.readUInt16BE(10);
  if (command === 5) return 'set';
  // Header 8, invoke, command and length 6, object 6, scope 4, action and length 4, poll number 2, partition 2.
  const objectClass = request.readUInt16BE(32);
  return ({ 33: 'self', 6: 'numeric', 54: 'alarms', 9: 'wave' } as const)[objectClass];
}

function answering(script: Script, send: (message: Buffer) => void): (request: Buffer) => void {
  return (request) => {
    const kind = kindOf(request);
    if (kind === 'associate') {
      if (script.associate) return script.associate(send);
      send(accepted);
      send(made.createEvent(made.self));
    } else if (kind === 'self') {
      send(made.pollResult([made.object(1, made.self)], { extended: false, objectClass: 33 }));
    } else if (kind === 'release' && script.release !== false) send(Buffer.from([0x0a, 0x00]));
  };
}

export async function openUdpMonitor(script: Script = {}): Promise<ScriptedMonitor> {
  const socket: UdpSocket = createSocket('udp4');
  const got: Buffer[] = [];
  let peer: { address: string; port: number } | undefined;
  const send = (message: Buffer): void => {
    if (peer) socket.send(message, peer.port, peer.address);
  };
  const answer = answering(script, send);
  socket.on('message', (bytes, from) => {
    peer = from;
    got.push(bytes);
    answer(bytes);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    port: socket.address().port,
    got,
    count: (kind) => got.filter((request) => kindOf(request) === kind).length,
    send,
    raw: send,
    cut: () => socket.close(),
    [Symbol.asyncDispose]: async () => new Promise<void>((resolve) => void socket.close(resolve)),
  };
}

export async function openSerialMonitor(script: Script = {}): Promise<ScriptedMonitor> {
  const got: Buffer[] = [];
  let peer: Socket | undefined;
  const raw = (bytes: Buffer): void => void peer?.write(bytes);
  const send = (message: Buffer): void => raw(wrapSerial(message));
  const answer = answering(script, send);
  const server = createServer({ noDelay: true }, (socket) => {
    peer = socket;
    const frames = createSerialFrames();
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      for (const message of frames.push(chunk).messages) {
        got.push(message);
        answer(message);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound ? bound.port : 0,
    got,
    count: (kind) => got.filter((request) => kindOf(request) === kind).length,
    send,
    raw,
    cut: () => peer?.destroy(),
    [Symbol.asyncDispose]: async () => {
      peer?.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
