import { readdir, realpath } from 'node:fs/promises';
import { SerialPort } from 'serialport';
import { Fault } from '../../model/fault.ts';
import { withDeadline, type Deadline } from './deadline.ts';
import type { Line } from './port.ts';

/**
 * Opens a serial port: a fresh instance each time, since a reused one may never say `open` again. Rejects with
 * WIRE_NO_PORT, WIRE_REFUSED or WIRE_TIMEOUT. Silence afterwards is the watchdog's business: a hang-up is not always
 * reported by the system.
 */
export function openSerial(path: string, line: Line, deadline: Deadline): Promise<SerialPort> {
  return withDeadline(
    deadline,
    () => new Fault('WIRE_TIMEOUT', { address: path, deadlineMs: deadline.deadlineMs }),
    () =>
      new Promise<SerialPort>((resolve, reject) => {
        const port = new SerialPort({ path, ...line, autoOpen: false });
        port.on('error', () => {});
        // serialport has no destroy of its own: without this the port stays open, and locked, for ever.
        port._destroy = (cause, done) => (port.isOpen ? port.close(() => done(cause)) : done(cause));
        port.open((cause) => {
          if (!cause) return resolve(port);
          const missing = /no such file|cannot find|ENOENT|ENXIO/i.test(cause.message);
          reject(new Fault(missing ? 'WIRE_NO_PORT' : 'WIRE_REFUSED', { address: path }, { cause }));
        });
      }),
    (late) => late.destroy(),
  );
}

export interface FoundPort {
  readonly path: string;
  readonly manufacturer?: string;
  readonly serialNumber?: string;
}

const byIdFolder = '/dev/serial/by-id';

/** The machine's serial ports, each by the name it keeps where there is one. */
export async function listSerial(): Promise<FoundPort[]> {
  const byId = new Map<string, string>();
  for (const name of await readdir(byIdFolder).catch(() => [])) {
    const path = `${byIdFolder}/${name}`;
    byId.set(await realpath(path).catch(() => path), path);
  }
  // SerialPort.list() needs udevadm; without it the folder of kept names is all there is to know.
  const listed = await SerialPort.list().catch(() => []);
  const found = new Map<string, FoundPort>([...byId.values()].map((path) => [path, { path }]));
  for (const port of listed) {
    const path = byId.get(port.path) ?? port.path;
    const { manufacturer, serialNumber } = port;
    found.set(path, { path, ...(manufacturer && { manufacturer }), ...(serialNumber && { serialNumber }) });
  }
  return [...found.values()];
}
