import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OPCUACertificateManager } from 'node-opcua-certificate-manager';
import type { Namespace, UAVariable } from 'node-opcua-address-space';
import { MessageSecurityMode, SecurityPolicy, StatusCodes, type StatusCode } from 'node-opcua-client';
import { makeEUInformation, standardUnits } from 'node-opcua-data-access';
import { OPCUAServer } from 'node-opcua-server';
import { DataType, Variant } from 'node-opcua-variant';

export interface MonitorServer extends AsyncDisposable {
  readonly endpoint: string;
  readonly port: number;
  readonly sessions: number;
  readonly subscriptions: number;
  /** The server trusts from now on whom it has refused so far. */
  trustStrangers(): Promise<void>;
  set(name: string, value: number | null, status?: StatusCode, sourceAtMs?: number): void;
}

export const uri = 'urn:test:monitor';
const units = {
  hr: makeEUInformation('BPM', 'bpm', 'beats per minute'),
  sys: standardUnits.kilopascal,
  temp: standardUnits.degree_celsius,
  odd: makeEUInformation('XYZ', 'furlong', 'a unit no metric has'),
} as const;

/** A small monitor of our own: `hr`, `sys` in kPa, `temp`, `odd` with a unit of nobody, `plain` with none at all. */
export async function openMonitorServer(
  options: { readonly port?: number; readonly before?: string[] } = {},
): Promise<MonitorServer> {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-opcua-'));
  const certificates = new OPCUACertificateManager({
    rootFolder: join(folder, 'pki'),
    automaticallyAcceptUnknownCertificate: false,
    disableFileWatchers: true,
  });
  const server = new OPCUAServer({
    port: options.port ?? 0,
    hostname: '127.0.0.1',
    serverCertificateManager: certificates,
    securityModes: [MessageSecurityMode.None, MessageSecurityMode.SignAndEncrypt],
    securityPolicies: [SecurityPolicy.None, SecurityPolicy.Basic256Sha256],
    allowAnonymous: true,
    buildInfo: { productName: 'test monitor' },
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  if (!space) throw new Error('the server has no address space');
  // A restart of a real server may well number its namespaces anew.
  for (const other of options.before ?? []) space.registerNamespace(other);
  const own: Namespace = space.registerNamespace(uri);
  const monitor = own.addObject({
    organizedBy: space.rootFolder.objects,
    browseName: 'Monitor',
    nodeId: 's=m1',
  });
  own.addVariable({
    componentOf: monitor,
    browseName: 'Serial',
    nodeId: 's=m1.serial',
    dataType: 'String',
    value: new Variant({ dataType: DataType.String, value: 'SN-1' }),
  });
  const variables = new Map<string, UAVariable>();
  for (const name of ['hr', 'sys', 'temp', 'odd', 'plain'] as const) {
    const common = {
      componentOf: monitor,
      browseName: name,
      nodeId: `s=m1.${name}`,
      dataType: 'Double' as const,
    };
    const engineeringUnits = name === 'plain' ? undefined : units[name];
    const made = engineeringUnits
      ? own.addAnalogDataItem({ ...common, engineeringUnits, engineeringUnitsRange: { low: 0, high: 500 } })
      : own.addVariable(common);
    variables.set(name, made);
  }
  await server.start();
  const port = server.endpoints[0]?.port ?? 0;
  return {
    port,
    endpoint: `opc.tcp://127.0.0.1:${port}`,
    trustStrangers: async () => {
      trust(join(folder, 'pki'));
      await certificates.reloadCertificates();
    },
    get sessions() {
      return server.engine.currentSessionCount;
    },
    get subscriptions() {
      return server.engine.currentSubscriptionCount;
    },
    set: (name, value, status = StatusCodes.Good, sourceAtMs = Date.now()) => {
      const variant =
        value === null
          ? new Variant({ dataType: DataType.Null })
          : new Variant({ dataType: DataType.Double, value });
      variables.get(name)?.setValueFromSource(variant, status, new Date(sourceAtMs));
    },
    [Symbol.asyncDispose]: async () => {
      await server.shutdown(0);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What a person does: moves the certificates of strangers to the trusted ones. */
export function trust(pki: string): number {
  const strangers = readdirSync(join(pki, 'rejected'));
  for (const name of strangers) renameSync(join(pki, 'rejected', name), join(pki, 'trusted', 'certs', name));
  return strangers.length;
}

export { StatusCodes };
