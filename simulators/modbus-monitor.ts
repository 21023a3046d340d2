import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { ServerTCP, type IServiceVector } from 'modbus-serial';
import type { Clock } from '../model/clock.ts';
import { Fault } from '../model/fault.ts';
import { atOnceAndEvery, type PatientSource } from './patient.ts';
import type { Patient } from './recording.ts';

/** The register layout of README.md, "Generic vital-sign module". */
export const registerCount = 32;
export const identityCanary = 0x5647;
const noValue = 0xffff;
const status = { spo2SensorOff: 1, ecgLeadsOff: 2, demo: 4 };

/** Modbus exceptions (Modbus application protocol 1.1b3, section 7). */
const exception = { illegalFunction: 1, illegalDataAddress: 2, gatewayTargetFailed: 11 };

export interface ModbusMonitor {
  readonly port: number;
  close(): Promise<void>;
}

export interface ModbusMonitorOptions {
  readonly clock: Clock;
  /** Unit ids 1, 2, … in this order. */
  readonly patients: readonly PatientSource[];
  /** 0 or absent is any free port. */
  readonly port?: number;
  /** Sets status bit 2. */
  readonly demo?: boolean;
}

/** A Modbus TCP server on loopback with one unit id per patient. Throws SIM_PORT. */
export async function openModbusMonitor(options: ModbusMonitorOptions): Promise<ModbusMonitor> {
  let units: readonly Uint16Array[] = [];
  const stop = atOnceAndEvery(options.clock, 1_000, () => {
    units = options.patients.map((patient) => registers(patient(), options.demo ?? false));
  });

  // modbus-serial takes port 0 for "none given" and then listens on 502; as text it is what it says.
  const port = String(options.port ?? 0) as unknown as number;
  const server = new ServerTCP(
    service((unit) => units[unit - 1]),
    { host: '127.0.0.1', port },
  );
  // A reader that resets its socket is gone; there is nobody to tell.
  server.on('socketError', () => undefined);
  try {
    await Promise.race([
      once(server, 'initialized'),
      once(server, 'serverError').then(([error]) => {
        throw error;
      }),
    ]);
  } catch (error) {
    stop();
    throw new Fault('SIM_PORT', { address: `127.0.0.1:${port}`, cause: (error as Error).message });
  }
  return {
    port: listeningPort(server),
    close: () => {
      stop();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** The library keeps its net.Server to itself and has no other word for the port it got. */
function listeningPort(server: ServerTCP): number {
  const { _server } = server as unknown as { _server: Server };
  return (_server.address() as AddressInfo).port;
}

/** Only function 3 reads; each other function has a handler because the library leaves one without unanswered. */
function service(unit: (id: number) => Uint16Array | undefined): IServiceVector {
  const refuse = (code: number): never => {
    throw Object.assign(new Error(`modbus exception ${code}`), { modbusErrorCode: code });
  };
  const only3 = (): never => refuse(exception.illegalFunction);
  const read = (address: number, length: number, id: number): number[] => {
    const image = unit(id) ?? refuse(exception.gatewayTargetFailed);
    if (address + length > registerCount) refuse(exception.illegalDataAddress);
    return [...image.subarray(address, address + length)];
  };
  return {
    // The library asks for a single register by another name than for several.
    getHoldingRegister: (address: number, id: number) => read(address, 1, id)[0] ?? 0,
    getMultipleHoldingRegisters: (address: number, length: number, id: number) => read(address, length, id),
    getInputRegister: (_address: number, _id: number) => only3(),
    getMultipleInputRegisters: (_address: number, _length: number, _id: number) => only3(),
    getCoil: (_address: number, _id: number) => only3(),
    getDiscreteInput: (_address: number, _id: number) => only3(),
    setCoil: (_address: number, _value: boolean, _id: number) => only3(),
    setRegister: (_address: number, _value: number, _id: number) => only3(),
    setRegisterArray: (_address: number, _value: number[], _id: number) => only3(),
  };
}

/** What stands in registers 0 to 31 for a patient. */
export function registers({ seen, cuff, temp }: Patient, demo: boolean): Uint16Array {
  const image = Buffer.alloc(registerCount * 2);
  const whole = (address: number, value: number | undefined, scale = 1): void => {
    image.writeUInt16BE(value === undefined ? noValue : Math.round(value * scale), address * 2);
  };
  const sensorOff = seen.spo2 === undefined && seen.pr === undefined;
  const leadsOff = seen.hr === undefined;

  whole(0, identityCanary);
  whole(
    1,
    (sensorOff ? status.spo2SensorOff : 0) | (leadsOff ? status.ecgLeadsOff : 0) | (demo ? status.demo : 0),
  );
  whole(10, seen.hr);
  whole(11, seen.spo2, 10);
  whole(12, seen.pr);
  whole(13, seen.rr);
  whole(22, cuff?.sys);
  whole(23, cuff?.dia);
  whole(24, cuff?.mean);
  image.writeUInt32BE(cuff ? Math.round(cuff.ageMs / 1_000) : 0xffffffff, 25 * 2);

  // CDAB: the low word of the float stands at the lower address. A quiet NaN is written by its bits.
  const float = Buffer.alloc(4);
  if (temp) float.writeFloatBE(temp.celsius);
  else float.writeUInt32BE(0x7fc00000);
  image.writeUInt16BE(float.readUInt16BE(2), 20 * 2);
  image.writeUInt16BE(float.readUInt16BE(0), 21 * 2);

  return Uint16Array.from({ length: registerCount }, (_, address) => image.readUInt16BE(address * 2));
}
