import { SerialPort } from 'serialport';
import { Fault } from '../model/fault.ts';
import { uart, type SerialLine } from './serial-line.ts';

/** A line over a serial port of this machine, 9600 8N1: a null-modem cable leads to the reader. Throws SIM_PORT. */
export async function openSerialDevice(path: string): Promise<SerialLine> {
  const port = new SerialPort({
    path,
    baudRate: 9_600,
    dataBits: 8,
    parity: 'none',
    stopBits: 1,
    autoOpen: false,
  });
  const restore = (): Promise<void> =>
    new Promise((resolve, reject) => {
      if (port.isOpen) return resolve();
      port.open((error) =>
        error ? reject(new Fault('SIM_PORT', { address: path, cause: error.message })) : resolve(),
      );
    });
  const hangUp = (): Promise<void> =>
    new Promise((resolve, reject) => {
      if (!port.isOpen) return resolve();
      port.close((error) => (error ? reject(error) : resolve()));
    });
  // An adapter that is pulled out closes the port; what is sent meanwhile falls away.
  port.on('error', () => undefined);
  await restore();
  return {
    address: path,
    wire: uart((bytes) => void (port.isOpen && port.write(bytes))),
    hangUp,
    restore,
    close: hangUp,
  };
}
