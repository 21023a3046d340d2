import type { DatagramPort, DriverHost } from '../driver.ts';
import { createSerialFrames, wrapSerial } from './serial.ts';

/** Whole messages in and out, whatever carries them. */
export interface Wire {
  send(message: Buffer): void;
  close(): void;
}
export interface WireEvents {
  message(bytes: Buffer): void;
  closed(): void;
}

/** A datagram is a message. */
export async function openDatagrams(host: DriverHost, events: WireEvents): Promise<Wire> {
  const port: DatagramPort = await host.datagram();
  port.on('message', (bytes: Buffer) => events.message(bytes));
  port.on('close', () => events.closed());
  return { send: (message) => port.send(message), close: () => port.close() };
}

/** A message stands in a frame with its checksum. */
export async function openSerialLine(host: DriverHost, device: string, events: WireEvents): Promise<Wire> {
  const port = await host.stream();
  const frames = createSerialFrames();
  port.on('data', (chunk: Buffer) => {
    const { messages, bad, discarded } = frames.push(chunk);
    if (discarded > 0) host.count(device, 'discardedBytes', discarded, chunk);
    for (const { bytes } of bad) host.count(device, 'badChecksum', 1, bytes);
    for (const message of messages) events.message(message);
  });
  port.on('close', () => events.closed());
  return {
    send: (message) => void (port.writable && port.write(wrapSerial(message))),
    close: () => void port.destroy(),
  };
}
