import { join } from 'node:path';
import {
  DataType,
  makeAccessLevelFlag,
  MessageSecurityMode,
  SecurityPolicy,
  StatusCodes,
  type StatusCode,
} from 'node-opcua-client';
import { OPCUACertificateManager } from 'node-opcua-certificate-manager';
import { nodesets } from 'node-opcua-nodesets';
import { OPCUAServer, RegisterServerMethod } from 'node-opcua-server';
import type { Clock } from '../model/clock.ts';
import { Fault } from '../model/fault.ts';
import { atOnceAndEvery, type PatientSource } from './patient.ts';
import type { Patient } from './recording.ts';
import {
  monitorsNamespace,
  parameterNodes,
  unitsNamespace,
  type ParameterNode,
  type ParameterPath,
} from './opcua-space.ts';

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

const deviceIntegration = 'http://opcfoundation.org/UA/DI/';

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

// ---- the address space ----

type AddressSpace = NonNullable<OPCUAServer['engine']['addressSpace']>;
type ObjectType = NonNullable<ReturnType<AddressSpace['findObjectType']>>;
type Parent = NonNullable<ReturnType<AddressSpace['rootFolder']['objects']['getFolderElementByName']>>;

/** What one variable shows: a value and its status, and the instant of its measurement. */
interface Shown {
  readonly value?: number;
  readonly status: StatusCode;
  readonly takenAtMs: number;
}
interface Setter {
  readonly path: ParameterPath;
  readonly set: (shown: Shown) => void;
}

/** What the DI nodeset brings (OPC 10000-100). */
interface DeviceModel {
  readonly deviceSet: Parent;
  readonly deviceType: ObjectType;
  readonly groupType: ObjectType;
}

function deviceModel(space: AddressSpace): DeviceModel {
  const di = space.getNamespaceIndex(deviceIntegration);
  const deviceSet = space.rootFolder.objects.getFolderElementByName('DeviceSet');
  const deviceType = space.findObjectType('DeviceType', di);
  const groupType = space.findObjectType('FunctionalGroupType', di);
  if (!deviceSet || !deviceType || !groupType) throw new Error('the DI nodeset lacks what DI defines');
  return { deviceSet, deviceType, groupType };
}

function buildMonitor(
  space: AddressSpace,
  { deviceSet, deviceType, groupType }: DeviceModel,
  number: number,
): readonly Setter[] {
  const root = `monitor${number}`;
  const own = space.getOwnNamespace();
  const nodeId = (path: string): string => `s=${root}.${path}`;
  const monitor = own.addObject({
    browseName: `Monitor${number}`,
    displayName: `Monitor ${number}`,
    nodeId: `s=${root}`,
    organizedBy: deviceSet,
    typeDefinition: deviceType,
  });
  const identity = (name: string, path: string, dataType: DataType, value: unknown): void => {
    own.addVariable({
      propertyOf: monitor,
      // Names of DeviceType's properties belong to DI (OPC 10000-100, 4.5.1).
      browseName: { name, namespaceIndex: space.getNamespaceIndex(deviceIntegration) },
      nodeId: nodeId(path),
      dataType,
      value: { dataType, value },
    });
  };
  identity('Manufacturer', 'manufacturer', DataType.LocalizedText, { text: 'Generic' });
  identity('Model', 'model', DataType.LocalizedText, { text: 'Simulated Monitor' });
  identity('SerialNumber', 'serial', DataType.String, `SIM-${String(number).padStart(4, '0')}`);

  const groups = new Map<string, Parent>();
  return parameterNodes.map((parameter) => {
    const groupPath = parameter.path.split('.')[0] ?? parameter.path;
    let group = groups.get(parameter.group);
    if (!group) {
      group = own.addObject({
        browseName: parameter.group,
        nodeId: nodeId(groupPath),
        componentOf: monitor,
        typeDefinition: groupType,
      });
      groups.set(parameter.group, group);
    }
    return {
      path: parameter.path,
      set: addParameter(space, { parameter, group, nodeId: nodeId(parameter.path) }),
    };
  });
}

function addParameter(
  space: AddressSpace,
  { parameter, group, nodeId }: { parameter: ParameterNode; group: Parent; nodeId: string },
): Setter['set'] {
  const own = space.getOwnNamespace();
  const { unit, range, mdcCode, mdcRefId } = parameter;
  const variable = own.addAnalogDataItem({
    componentOf: group,
    browseName: parameter.name,
    nodeId,
    typeDefinition: 'AnalogUnitRangeType',
    dataType: DataType.Double,
    engineeringUnitsRange: { low: range[0], high: range[1] },
    engineeringUnits: {
      namespaceUri: unit.namespaceUri ?? unitsNamespace,
      unitId: unit.unitId,
      displayName: { text: unit.displayName },
      description: { text: unit.description },
    },
    // A monitor shows what it measures; EURange is for drawing (OPC 10000-8, 5.3.2.3).
    acceptValueOutOfRange: true,
  });
  // The type is made writable by default; a monitor is only read.
  variable.accessLevel = makeAccessLevelFlag('CurrentRead');
  variable.userAccessLevel = makeAccessLevelFlag('CurrentRead');
  const property = (browseName: string, dataType: DataType, value: unknown): void => {
    own.addVariable({
      propertyOf: variable,
      browseName,
      nodeId: `${nodeId}.${browseName}`,
      dataType,
      value: { dataType, value },
    });
  };
  property('MdcCode', DataType.UInt32, mdcCode);
  property('MdcRefId', DataType.String, mdcRefId);
  return ({ value, status, takenAtMs }) => {
    const variant = value === undefined ? { dataType: DataType.Null } : { dataType: DataType.Double, value };
    variable.setValueFromSource(variant, status, new Date(takenAtMs));
  };
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
