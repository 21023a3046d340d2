import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AttributeIds,
  MessageSecurityMode,
  OPCUAClient,
  SecurityPolicy,
  type ClientSession,
  type DataValue,
} from 'node-opcua-client';
import { OPCUACertificateManager } from 'node-opcua-certificate-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openOpcuaMonitor, type OpcuaMonitor } from '../../simulators/opcua-monitor.ts';
import { parameterNodes } from '../../simulators/opcua-parameters.ts';
import type { Patient } from '../../simulators/recording.ts';
import { virtualClock } from '../house/virtual-clock.ts';

const all = new Set(['hr', 'spo2', 'pr', 'rr'] as const);
const well: Patient = {
  seen: { hr: 72, spo2: 97, pr: 71, rr: 0 },
  measured: all,
  cuff: { sys: 120, dia: 80, mean: 93, ageMs: 300_000 },
};
const noFinger: Patient = { seen: { hr: 60 }, measured: all };

const folder = mkdtempSync(join(tmpdir(), 'vigil-opcua-'));
// Where the library would put keys that nobody gave a folder.
const homeConfig = join(folder, 'home');
process.env.XDG_CONFIG_HOME = homeConfig;
const clock = virtualClock();
let monitor: OpcuaMonitor;
let certificates: OPCUACertificateManager;

beforeAll(async () => {
  certificates = new OPCUACertificateManager({
    rootFolder: join(folder, 'client'),
    automaticallyAcceptUnknownCertificate: true,
  });
  await certificates.initialize();
  monitor = await openOpcuaMonitor({ clock, patients: [() => well, () => noFinger], pkiFolder: folder });
});
afterAll(async () => {
  await monitor.close();
  await certificates.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function withSession<T>(
  work: (session: ClientSession) => Promise<T>,
  security: { securityMode?: MessageSecurityMode; securityPolicy?: SecurityPolicy } = {},
): Promise<T> {
  const client = OPCUAClient.create({
    clientCertificateManager: certificates,
    connectionStrategy: { maxRetry: 0 },
    ...security,
  });
  await client.connect(monitor.endpoint);
  try {
    const session = await client.createSession();
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  } finally {
    await client.disconnect();
  }
}
const read = (session: ClientSession, id: string): Promise<DataValue> =>
  session.read({ nodeId: `ns=1;s=${id}`, attributeId: AttributeIds.Value });

describe('the address space', () => {
  test('is what README.md says: node ids, browse paths, codes, units and ranges', async () => {
    const readme = readFileSync(new URL('../../simulators/README.md', import.meta.url), 'utf8');
    await withSession(async (session) => {
      expect((await session.readNamespaceArray()).indexOf('urn:vigil:simulated-monitors')).toBe(1);
      for (const node of parameterNodes) {
        const row = readme.split('\n').find((line) => line.startsWith(`| \`monitor1.${node.path}\` |`));
        expect(row, node.path).toBeDefined();
        const [, , path, type, unit, range, meaning] = (row ?? '').split('|').map((cell) => cell.trim());
        expect(path).toBe(`${node.group}/${node.name}`);
        expect(type).toBe('Double');
        expect(unit?.replace('−', '-')).toContain(String(node.unit.unitId));
        expect(range).toBe(node.range.join('–'));
        expect(meaning).toBe(node.mdcRefId);
        const id = `monitor1.${node.path}`;
        expect((await read(session, `${id}.MdcCode`)).value.value).toBe(node.mdcCode);
        expect((await read(session, `${id}.MdcRefId`)).value.value).toBe(node.mdcRefId);
        expect((await read(session, `${id}-EURange`)).value.value).toMatchObject({
          low: node.range[0],
          high: node.range[1],
        });
        expect((await read(session, `${id}-EngineeringUnits`)).value.value).toMatchObject({
          unitId: node.unit.unitId,
        });
      }
    });
  });

  test('leads from Objects over DeviceSet to each monitor and its groups', async () => {
    await withSession(async (session) => {
      const names = async (nodeId: string): Promise<string[]> =>
        ((await session.browse(nodeId)).references ?? []).map(({ browseName }) => browseName.name ?? '');
      const objects = (await session.browse('ObjectsFolder')).references ?? [];
      const deviceSet = objects.find(({ browseName }) => browseName.name === 'DeviceSet');
      expect(await names(String(deviceSet?.nodeId))).toEqual(
        expect.arrayContaining(['Monitor1', 'Monitor2']),
      );
      expect(await names('ns=1;s=monitor1')).toEqual(
        expect.arrayContaining(['Manufacturer', 'SerialNumber', 'ECG', 'SpO2', 'Respiration', 'NIBP']),
      );
      expect((await read(session, 'monitor2.serial')).value.value).toBe('SIM-0002');
      expect((await read(session, 'monitor2.manufacturer')).value.value.text).toBe('Generic');
    });
  });
});

describe('values', () => {
  test('are Good with the instant of their measurement; a cuff pressure keeps its own', async () => {
    await withSession(async (session) => {
      clock.passSync(1_000);
      const hr = await read(session, 'monitor1.ecg.hr');
      expect([hr.value.value, hr.statusCode.name]).toEqual([72, 'Good']);
      expect(hr.sourceTimestamp?.getTime()).toBe(clock.nowMs());
      expect((await read(session, 'monitor1.resp.rr')).value.value).toBe(0);
      const sys = await read(session, 'monitor1.nibp.sys');
      expect([sys.value.value, sys.statusCode.name]).toEqual([120, 'Good']);
      expect(sys.sourceTimestamp?.getTime()).toBe(clock.nowMs() - 300_000);
    });
  });

  test.each([
    ['monitor2.spo2.spo2', 'BadSensorFailure', 0x808c0000],
    ['monitor2.resp.rr', 'BadSensorFailure', 0x808c0000],
    ['monitor1.co2.et', 'BadWaitingForInitialData', 0x80320000],
    ['monitor2.nibp.sys', 'BadWaitingForInitialData', 0x80320000],
  ])('%s is missing and says %s', async (id, name, code) => {
    const seen = await withSession((session) => read(session, id));
    expect([seen.value.value, seen.statusCode.name, seen.statusCode.value]).toEqual([null, name, code]);
  });

  test('an unplugged monitor says so until it is plugged in, its neighbour goes on', async () => {
    await withSession(async (session) => {
      monitor.unplug(1, 'unplugged');
      expect((await read(session, 'monitor1.ecg.hr')).statusCode.value).toBe(0x80310000);
      expect((await read(session, 'monitor2.ecg.hr')).value.value).toBe(60);
      monitor.unplug(1, 'plugged');
      expect((await read(session, 'monitor1.ecg.hr')).value.value).toBe(72);
    });
  });

  test('cannot be written', async () => {
    await withSession(async (session) => {
      const status = await session.write({
        nodeId: 'ns=1;s=monitor1.ecg.hr',
        attributeId: AttributeIds.Value,
        value: { value: { dataType: 'Double', value: 1 } },
      });
      expect(status.isGood()).toBe(false);
    });
  });
});

test('the signed and encrypted door opens too', async () => {
  const security = {
    securityMode: MessageSecurityMode.SignAndEncrypt,
    securityPolicy: SecurityPolicy.Basic256Sha256,
  };
  const hr = await withSession((session) => read(session, 'monitor1.ecg.hr'), security);
  expect(hr.value.value).toBe(72);
});

test('keys and certificates stand in the folder given, none in the home folder', () => {
  expect(readdirSync(folder).sort()).toEqual(['client', 'server']);
  expect(existsSync(homeConfig)).toBe(false);
});

test('a monitor in demo mode gives its values as uncertain', async () => {
  const demo = await openOpcuaMonitor({
    clock,
    patients: [() => well],
    pkiFolder: folder,
    demo: true,
  });
  const client = OPCUAClient.create({
    clientCertificateManager: certificates,
    connectionStrategy: { maxRetry: 0 },
  });
  await client.connect(demo.endpoint);
  const session = await client.createSession();
  const hr = await read(session, 'monitor1.ecg.hr');
  await session.close();
  await client.disconnect();
  await demo.close();
  expect([hr.value.value, hr.statusCode.value]).toEqual([72, 0x40000000]);
});
