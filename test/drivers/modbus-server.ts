import { createServer, type Socket } from 'node:net';
import { crc16 } from '../../drivers/modbus/frame.ts';

/** A request as this server reads it, by hand: nothing of the driver but its checksum is used. */
export interface Asked {
  readonly unit: number;
  readonly fc: number;
  readonly address: number;
  readonly count: number;
  readonly transaction: number;
  /** Counts the requests of the connection from 0. */
  readonly index: number;
}

export interface Answer {
  /** Undefined: no answer at all. */
  readonly bytes?: Buffer;
  readonly afterMs?: number;
}

export interface ModbusServer extends AsyncDisposable {
  readonly port: number;
  readonly asked: Asked[];
  /** What the next requests get; may be replaced at any time. */
  answer: (asked: Asked) => Answer;
  /** Sends bytes nobody asked for. */
  shout(bytes: Buffer): void;
  cut(): void;
}

export type Framing = 'rtu' | 'tcp';

/** Register values by address: each register holds its own address unless told otherwise. */
export const registerBytes = (asked: Asked, valueAt: (address: number) => number = (at) => at): Buffer => {
  const bytes = Buffer.alloc(asked.count * 2);
  for (let index = 0; index < asked.count; index++)
    bytes.writeUInt16BE(valueAt(asked.address + index) & 0xffff, index * 2);
  return bytes;
};

export function reply(framing: Framing, asked: Asked, data: Buffer): Buffer {
  return frame(framing, asked, Buffer.concat([Buffer.from([asked.fc, data.length]), data]));
}

export const exception = (framing: Framing, asked: Asked, code: number): Buffer =>
  frame(framing, asked, Buffer.from([asked.fc | 0x80, code]));

export function frame(framing: Framing, { unit, transaction }: Asked, pdu: Buffer): Buffer {
  if (framing === 'tcp') {
    const head = Buffer.alloc(7);
    head.writeUInt16BE(transaction, 0);
    head.writeUInt16BE(pdu.length + 1, 4);
    head.writeUInt8(unit, 6);
    return Buffer.concat([head, pdu]);
  }
  const body = Buffer.concat([Buffer.from([unit]), pdu]);
  const crc = crc16(body);
  return Buffer.concat([body, Buffer.from([crc & 0xff, crc >> 8])]);
}

export async function openModbusServer(framing: Framing): Promise<ModbusServer> {
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    let open = Buffer.alloc(0);
    let index = 0;
    socket.on('data', (chunk: Buffer) => {
      open = Buffer.concat([open, chunk]);
      const length = framing === 'rtu' ? 8 : 12;
      for (; open.length >= length; open = open.subarray(length)) {
        const at = framing === 'rtu' ? 0 : 6;
        const one: Asked = {
          unit: open.readUInt8(at),
          fc: open.readUInt8(at + 1),
          address: open.readUInt16BE(at + 2),
          count: open.readUInt16BE(at + 4),
          transaction: framing === 'rtu' ? 0 : open.readUInt16BE(0),
          index: index++,
        };
        asked.push(one);
        const { bytes, afterMs = 0 } = house.answer(one);
        if (bytes) setTimeout(() => socket.writable && socket.write(bytes), afterMs);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const house: ModbusServer = {
    port: typeof bound === 'object' && bound ? bound.port : 0,
    asked,
    answer: (one) => ({ bytes: reply(framing, one, registerBytes(one)) }),
    shout: (bytes) => {
      for (const socket of sockets) socket.write(bytes);
    },
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      house.cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return house;
}
