import type { Duplex } from 'node:stream';
import { Fault } from '../../model/fault.ts';
import type { Deadline } from './deadline.ts';
import { parsePort, type Line } from './port.ts';
import { openTcp } from './tcp.ts';

/** Opens what a port name says. The serial library is loaded only where a serial port is named. */
export async function openStream(port: string, line: Line, deadline: Deadline): Promise<Duplex> {
  const address = parsePort(port);
  if (!address) throw new Fault('WIRE_NO_PORT', { address: port });
  if (address.kind === 'tcp') return openTcp(address.host, address.port, deadline);
  const { openSerial } = await import('./serial.ts');
  return openSerial(address.path, line, deadline);
}
