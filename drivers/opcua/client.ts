import { join } from 'node:path';
import { OPCUACertificateManager } from 'node-opcua-certificate-manager';
import { setDebugLogger, setErrorLogger, setTraceLogger, setWarningLogger } from 'node-opcua-debug';
import {
  MessageSecurityMode,
  OPCUAClient,
  SecurityPolicy,
  UserTokenType,
  type ClientSession,
  type ClientSubscription,
  type UserIdentityInfo,
} from 'node-opcua-client';
import { Fault } from '../../model/fault.ts';
import type { Clock } from '../../model/clock.ts';
import { withDeadline } from '../transport/deadline.ts';

export interface EndpointAddress {
  readonly endpoint: string;
  readonly security: 'None' | 'Sign' | 'SignAndEncrypt';
  readonly user?: string;
  readonly password?: string;
}

const openMs = 15_000;
const closeMs = 3_000;
/** The maintainers' advice for lossy links: long sessions, many keep-alives, a generous life. */
const sessionTimeoutMs = 60_000;
const keepAliveCount = 10;
const lifetimeCount = 600;

/** One certificate store for the process: two on one folder race each other. Strangers are never accepted by it. */
export async function openPki(folder: string): Promise<OPCUACertificateManager> {
  silenceLibrary();
  const manager = new OPCUACertificateManager({
    rootFolder: join(folder, 'opcua-pki'),
    automaticallyAcceptUnknownCertificate: false,
  });
  await manager.initialize();
  return manager;
}

/** It writes pages to standard output; what of it matters reaches the device's health as a fault. */
function silenceLibrary(): void {
  for (const set of [setDebugLogger, setErrorLogger, setTraceLogger, setWarningLogger]) set(() => {});
}

export function makeClient(address: EndpointAddress, pki: OPCUACertificateManager): OPCUAClient {
  const secured = address.security !== 'None';
  return OPCUAClient.create({
    applicationName: 'Vigil driver host',
    clientName: 'Vigil driver host',
    clientCertificateManager: pki,
    securityMode: MessageSecurityMode[address.security],
    securityPolicy: secured ? SecurityPolicy.Basic256Sha256 : SecurityPolicy.None,
    // The name a server calls itself by is often not the one it is reached by.
    endpointMustExist: false,
    keepSessionAlive: true,
    requestedSessionTimeout: sessionTimeoutMs,
    transportTimeout: openMs,
    connectionStrategy: { maxRetry: 0, initialDelay: 500, maxDelay: 5_000, randomisationFactor: 0.5 },
  });
}

/** Connects and opens the one session. Fault OPCUA_SESSION, OPCUA_UNTRUSTED or WIRE_*. */
export async function openSession(
  client: OPCUAClient,
  address: EndpointAddress,
  clock: Clock,
): Promise<ClientSession> {
  const timeout = (): Fault => new Fault('WIRE_TIMEOUT', { address: address.endpoint, deadlineMs: openMs });
  const user: UserIdentityInfo =
    address.user === undefined
      ? { type: UserTokenType.Anonymous }
      : { type: UserTokenType.UserName, userName: address.user, password: address.password ?? '' };
  try {
    return await withDeadline({ clock, deadlineMs: openMs }, timeout, async () => {
      await client.connect(address.endpoint);
      return client.createSession(user);
    });
  } catch (error) {
    throw asFault(error, address.endpoint);
  }
}

export const openSubscription = (session: ClientSession, publishingMs: number): Promise<ClientSubscription> =>
  session.createSubscription2({
    requestedPublishingInterval: publishingMs,
    requestedLifetimeCount: lifetimeCount,
    requestedMaxKeepAliveCount: keepAliveCount,
    maxNotificationsPerPublish: 0,
    publishingEnabled: true,
    priority: 10,
  });

/** How long nothing, not even a keep-alive, may come before the subscription is taken for dead. */
export const silentAfterMs = (publishingMs: number): number =>
  Math.max(5_000, 3 * keepAliveCount * publishingMs);

/** Ends session and connection; the server is told where it still listens. */
export async function closeClient(
  client: OPCUAClient,
  session: ClientSession | undefined,
  clock: Clock,
): Promise<void> {
  const bounded = { clock, deadlineMs: closeMs };
  const late = (): Fault => new Fault('WIRE_TIMEOUT', { address: 'the server', deadlineMs: closeMs });
  // A connection that is already gone cannot be closed in good order; what is left of it ends with the client.
  const quietly = (act: () => Promise<unknown>): Promise<unknown> =>
    withDeadline(bounded, late, act).catch((error: unknown) => error);
  if (session) await quietly(() => session.close(true));
  await quietly(() => client.disconnect());
}

/** The library's errors run over many lines; what went wrong is in the first. */
export function asFault(error: unknown, address: string): Fault {
  if (error instanceof Fault) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (/ECONNREFUSED/.test(text)) return new Fault('WIRE_REFUSED', { address }, { cause: error });
  if (/SecurityChecksFailed/i.test(text)) {
    const cause = 'the server does not trust us: give it the certificate in opcua-pki/own/certs';
    return new Fault('OPCUA_SESSION', { address, cause }, { cause: error });
  }
  if (/Untrusted|BadCertificate/i.test(text))
    return new Fault('OPCUA_UNTRUSTED', { address }, { cause: error });
  const cause = (text.split('\n')[0] ?? '').trim().slice(0, 120);
  return new Fault('OPCUA_SESSION', { address, cause }, { cause: error });
}
