import { join } from 'node:path';
import { MessageSecurityMode, SecurityPolicy, StatusCodes } from 'node-opcua-client';
import { OPCUACertificateManager } from 'node-opcua-certificate-manager';
import { nodesets } from 'node-opcua-nodesets';
import { OPCUAServer, RegisterServerMethod } from 'node-opcua-server';
import type { Clock } from '../model/clock.ts';
import { Fault } from '../model/fault.ts';
import { atOnceAndEvery, type PatientSource } from './patient.ts';
import type { Patient } from './recording.ts';
import { monitorsNamespace, type ParameterPath } from './opcua-parameters.ts';
import { buildMonitor, deviceModel, type Shown } from './opcua-space.ts';

export interface OpcuaMonitor {
  /** `opc.tcp://127.0.0.1:port`. */
  readonly endpoint: string;
  readonly port: number;
  /** Unplugs all modules of monitor n (1, 2, …), or plugs them in again: BadNoCommunication meanwhile. */
  unplug(monitor: number, unplugged: 'unplugged' | 'plugged'): void;
  close(): Promise<void>;
}

export interface OpcuaMonitorOptions {
  readonly clock: Clock;
  /** `monitor1`, `monitor2`, … in this order. */
  readonly patients: readonly PatientSource[];
  /** Keys and certificates of the server, made there if missing. */
  readonly pkiFolder: string;
  /** 0 or absent is any free port. */
  readonly port?: number;
  /** The port readers are told to use, where a wire stands in between. */
  readonly advertisedPort?: number;
  /** Marks every value Uncertain. */
  readonly demo?: boolean;
}

/** One OPC UA server on loopback, a monitor for each patient, values set once a second. Throws SIM_PORT. */
export async function openOpcuaMonitor(options: OpcuaMonitorOptions): Promise<OpcuaMonitor> {
  const server = await createServer(options);
  const space = server.engine.addressSpace;
  if (!space) throw new Error('the server has no address space after its initialisation');
  const model = deviceModel(space);

  const unplugged = new Set<number>();
  const monitors = options.patients.map((patient, index) => {
    const setters = buildMonitor(space, model, index + 1);
    return { patient, setters, number: index + 1 };
  });
  try {
    await server.start();
  } catch (error) {
    await server.shutdown(0);
    throw new Fault('SIM_PORT', { address: `127.0.0.1:${options.port}`, cause: (error as Error).message });
  }

  const show = (): void => {
    const atMs = options.clock.nowMs();
    for (const { patient, setters, number } of monitors) {
      const lies = patient();
      for (const { path, set } of setters) {
        set(
          unplugged.has(number)
            ? noCommunication(atMs)
            : shown(path, lies, { atMs, demo: options.demo ?? false }),
        );
      }
    }
  };
  const stop = atOnceAndEvery(options.clock, 1_000, show);
  const port = options.advertisedPort ?? server.endpoints[0]?.port ?? 0;
  return {
    endpoint: `opc.tcp://127.0.0.1:${port}`,
    port: server.endpoints[0]?.port ?? 0,
    unplug: (monitor, which) => {
      if (which === 'unplugged') unplugged.add(monitor);
      else unplugged.delete(monitor);
      show();
    },
    close: async () => {
      stop();
      await server.shutdown(0);
    },
  };
}

async function createServer(options: OpcuaMonitorOptions): Promise<OPCUAServer> {
  // Both managers are named, or the library makes folders in the home folder. Readers are test and demo clients that make
  // their certificate on the spot, so the simulated server takes any; what a reader trusts is its own affair.
  const certificates = new OPCUACertificateManager({
    rootFolder: join(options.pkiFolder, 'server'),
    automaticallyAcceptUnknownCertificate: true,
  });
  await certificates.initialize();
  const server = new OPCUAServer({
    host: '127.0.0.1',
    hostname: '127.0.0.1',
    port: options.port ?? 0,
    advertisedEndpoints:
      options.advertisedPort === undefined ? [] : [`opc.tcp://127.0.0.1:${options.advertisedPort}`],
    nodeset_filename: [nodesets.standard, nodesets.di],
    serverCertificateManager: certificates,
    userCertificateManager: certificates,
    serverInfo: {
      applicationUri: monitorsNamespace,
      productUri: monitorsNamespace,
      applicationName: { text: 'Simulated monitors' },
    },
    buildInfo: { productName: 'Simulated monitors', manufacturerName: 'Generic' },
    securityPolicies: [SecurityPolicy.None, SecurityPolicy.Basic256Sha256],
    securityModes: [MessageSecurityMode.None, MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt],
    allowAnonymous: true,
    registerServerMethod: RegisterServerMethod.HIDDEN,
  });
  await server.initialize();
  return server;
}

// ---- what is shown of a patient ----

const noCommunication = (atMs: number): Shown => ({
  status: StatusCodes.BadNoCommunication,
  takenAtMs: atMs,
});

function shown(
  path: ParameterPath,
  { seen, measured, cuff, temp }: Patient,
  { atMs, demo }: { atMs: number; demo: boolean },
): Shown {
  const good = demo ? StatusCodes.Uncertain : StatusCodes.Good;
  const at = (value: number | undefined, ageMs: number): Shown =>
    value === undefined
      ? { status: StatusCodes.BadWaitingForInitialData, takenAtMs: atMs }
      : { value, status: good, takenAtMs: atMs - ageMs };
  const live = (column: 'hr' | 'spo2' | 'pr' | 'rr' | 'etco2'): Shown => {
    const value = seen[column];
    if (value === undefined && measured.has(column)) {
      return { status: StatusCodes.BadSensorFailure, takenAtMs: atMs };
    }
    return at(value, 0);
  };
  switch (path) {
    case 'ecg.hr':
      return live('hr');
    case 'spo2.spo2':
      return live('spo2');
    case 'spo2.pr':
      return live('pr');
    case 'resp.rr':
      return live('rr');
    case 'co2.et':
      return live('etco2');
    case 'nibp.sys':
      return at(cuff?.sys, cuff?.ageMs ?? 0);
    case 'nibp.dia':
      return at(cuff?.dia, cuff?.ageMs ?? 0);
    case 'nibp.mean':
      return at(cuff?.mean, cuff?.ageMs ?? 0);
    case 'temp.body':
      return at(temp?.celsius, temp?.ageMs ?? 0);
    default:
      return path satisfies never;
  }
}
