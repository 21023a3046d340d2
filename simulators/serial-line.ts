import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Fault } from '../model/fault.ts';

/** One end of a serial cable, the device's; the other end is where a reader finds `address`. */
export interface SerialLine {
  /** The reader's end: a device path, or `tcp://127.0.0.1:port` as behind a serial device server. */
  readonly address: string;
  /** What the device sends. Like a UART it never waits: bytes nobody takes fall away. */
  readonly wire: Writable;
  /** Pulls the cable: the reader's end hangs up, and opening it again fails. */
  hangUp(): Promise<void>;
  /** Plugs it in again, under the same address. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

export interface SerialLineOptions {
  /** `pty` by socat, `tcp`, or whichever there is: a pair of PTYs where socat is installed. */
  readonly kind?: 'pty' | 'tcp' | 'either';
  /** Where the links to the PTYs stand; made if missing. */
  readonly folder: string;
  readonly name: string;
  /** TCP only; 0 or absent is any free port. */
  readonly port?: number;
}

/** Opens a line. Throws SIM_NO_SOCAT for `pty` without socat, SIM_PORT for a TCP port that is taken. */
export async function openSerialLine(options: SerialLineOptions): Promise<SerialLine> {
  const kind = options.kind ?? 'either';
  if (kind === 'tcp' || (kind === 'either' && !hasSocat())) return openTcpLine(options.port ?? 0);
  return openPtyLine(options.folder, options.name);
}

const hasSocat = (): boolean => spawnSync('socat', ['-V'], { stdio: 'ignore' }).status === 0;

/** A line whose far end can be taken away; what is written meanwhile is lost, as on a real cable. */
export const uart = (send: (bytes: Buffer) => void): Writable =>
  new Writable({
    write: (bytes: Buffer, _encoding, done) => {
      send(bytes);
      done();
    },
  });

// ---- a pair of PTYs ----

const tty = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;

async function openPtyLine(folder: string, name: string): Promise<SerialLine> {
  mkdirSync(folder, { recursive: true });
  const readerEnd = join(folder, name);
  const deviceEnd = join(folder, `${name}.device`);
  let pair: { readonly socat: ChildProcess; readonly fd: number } | undefined;

  const restore = async (): Promise<void> => {
    if (pair) return;
    rmSync(readerEnd, { force: true });
    rmSync(deviceEnd, { force: true });
    const socat = await startSocat(readerEnd, deviceEnd);
    try {
      const fd = openSync(deviceEnd, tty);
      // A PTY keeps what is written before its first reader, and would hand him old lines as new ones; after one reader
      // has come and gone it keeps nothing.
      closeSync(openSync(readerEnd, tty));
      pair = { socat, fd };
    } catch (error) {
      await ended(socat);
      throw new Fault('SIM_NO_SOCAT', { cause: (error as Error).message });
    }
  };
  const hangUp = async (): Promise<void> => {
    if (!pair) return;
    const { socat, fd } = pair;
    pair = undefined;
    closeSync(fd);
    await ended(socat);
  };

  await restore();
  return {
    address: readerEnd,
    wire: uart((bytes) => void (pair && writeOrDrop(pair.fd, bytes))),
    restore,
    hangUp,
    close: hangUp,
  };
}

/** socat by itself would outlive a simulator that is killed; here the end of our side of its input ends it. */
const endWithUs = 'exec 3<&0; (read -r _ <&3; kill $$) & exec socat "$@" 3<&- </dev/null';

/** Resolves when both PTYs stand under their links. */
function startSocat(readerEnd: string, deviceEnd: string): Promise<ChildProcess> {
  const pty = (link: string): string => `pty,raw,echo=0,link=${link}`;
  const args = ['-d', '-d', '-b', '256', pty(readerEnd), pty(deviceEnd)];
  const socat = spawn('sh', ['-c', endWithUs, 'sh', ...args], { stdio: ['pipe', 'ignore', 'pipe'] });
  return new Promise((resolve, reject) => {
    let said = '';
    const refuse = (cause: string): void => reject(new Fault('SIM_NO_SOCAT', { cause }));
    socat.once('error', (error) => refuse(error.message));
    socat.once('exit', () => refuse(said.trim().split('\n').at(-1) ?? 'it ended'));
    socat.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_096);
      if (said.includes('starting data transfer loop')) resolve(socat);
    });
  });
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.stdin?.end();
  });

/** EAGAIN: nobody empties the line. EIO: the far end has just gone. Both are lost bytes, not faults of the device. */
function writeOrDrop(fd: number, bytes: Buffer): void {
  try {
    writeSync(fd, bytes);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'EAGAIN' && code !== 'EIO') throw error;
  }
}

// ---- raw TCP, as behind a device server ----

/** More than this unread by one reader and its bytes fall away. */
const tcpPendingLimit = 16_384;

async function openTcpLine(port: number): Promise<SerialLine> {
  const readers = new Set<Socket>();
  let server: Server | undefined;
  let usedPort = port;

  const restore = async (): Promise<void> => {
    if (server) return;
    server = await listen(usedPort, (reader) => {
      readers.add(reader);
      reader.on('close', () => readers.delete(reader));
      // A reader that resets its end is gone; 'close' follows.
      reader.on('error', () => reader.destroy());
      reader.resume();
    });
    const address = server.address();
    if (address && typeof address === 'object') usedPort = address.port;
  };
  const hangUp = async (): Promise<void> => {
    const old = server;
    server = undefined;
    for (const reader of readers) reader.destroy();
    if (old) await new Promise<void>((resolve) => old.close(() => resolve()));
  };

  await restore();
  return {
    address: `tcp://127.0.0.1:${usedPort}`,
    wire: uart((bytes) => {
      for (const reader of readers) if (reader.writableLength < tcpPendingLimit) reader.write(bytes);
    }),
    restore,
    hangUp,
    close: hangUp,
  };
}

/** A server on loopback. Throws SIM_PORT when the port cannot be had. */
export function listen(port: number, accept: (socket: Socket) => void): Promise<Server> {
  const server = createServer(accept);
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Fault('SIM_PORT', { address: `127.0.0.1:${port}`, cause: error.message })),
    );
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
