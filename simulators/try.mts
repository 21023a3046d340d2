import { OPCUAServer, RegisterServerMethod } from 'node-opcua-server';
import { SecurityPolicy, MessageSecurityMode, StatusCodes, DataType, Variant } from 'node-opcua-client';
import { OPCUACertificateManager } from 'node-opcua-certificate-manager';
import { nodesets } from 'node-opcua-nodesets';
const t0 = performance.now();
const cm = new OPCUACertificateManager({
  rootFolder: '/tmp/simtry/pki',
  automaticallyAcceptUnknownCertificate: true,
});
await cm.initialize();
console.log('cm', performance.now() - t0);
const s = new OPCUAServer({
  port: 0,
  host: '127.0.0.1',
  hostname: '127.0.0.1',
  nodeset_filename: [nodesets.standard, nodesets.di],
  serverCertificateManager: cm,
  userCertificateManager: cm,
  serverInfo: {
    applicationUri: 'urn:vigil:simulated-monitors',
    productUri: 'x',
    applicationName: { text: 'Sim' },
  },
  securityPolicies: [SecurityPolicy.None, SecurityPolicy.Basic256Sha256],
  securityModes: [MessageSecurityMode.None, MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt],
  allowAnonymous: true,
  registerServerMethod: RegisterServerMethod.HIDDEN,
} as any);
await s.initialize();
console.log('init', performance.now() - t0);
const as = s.engine.addressSpace!;
console.log(as.getNamespaceArray().map((n) => n.namespaceUri));
console.log(
  as.findVariableType('AnalogUnitRangeType')?.toString().slice(0, 80),
  !!as.findObjectType('DeviceType', as.getNamespaceIndex('http://opcfoundation.org/UA/DI/')),
);
await s.start();
console.log(
  'start',
  performance.now() - t0,
  s.endpoints[0]
    .endpointDescriptions()
    .map((e) => e.endpointUrl + ' ' + e.securityPolicyUri + ' ' + e.securityMode),
  (s.endpoints[0] as any).port,
);
console.log(process.memoryUsage().rss / 1e6);
await s.shutdown(0);
console.log('shut', performance.now() - t0);
