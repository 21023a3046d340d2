import type { OPCUACertificateManager } from 'node-opcua-certificate-manager';
import type { ClientSession, ClientSubscription, OPCUAClient } from 'node-opcua-client';
import type { Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import type { Chance } from '../../model/ids.ts';
import { createBackoff } from '../transport/backoff.ts';
import {
  asFault,
  closeClient,
  makeClient,
  openSession,
  openSubscription,
  silentAfterMs,
  type EndpointAddress,
} from './client.ts';

/** What a device gets while the endpoint is up; a new one after each break, with everything resolved anew. */
export interface EndpointLink {
  readonly session: ClientSession;
  readonly subscription: ClientSubscription;
  /** Index of a namespace by its URI, which may change when the server restarts. */
  readonly namespaces: readonly string[];
  /** Ours minus the server's clock, ms; 0 within a second, which is travel time. */
  readonly clockOffsetMs: number;
}

export interface EndpointUser {
  up(link: EndpointLink): Promise<void>;
  down(fault: Fault): void;
}

export interface Endpoint {
  /** `up` follows at once when the endpoint is up. */
  join(user: EndpointUser): { leave(): void };
  close(): Promise<void>;
}

export interface EndpointOptions {
  readonly address: EndpointAddress;
  readonly publishingMs: number;
  readonly pki: OPCUACertificateManager;
  readonly clock: Clock;
  readonly chance: Chance;
}

const watchMs = 1_000;
const currentTimeNode = 'i=2258';

/**
 * One client, one session, one subscription an endpoint, whatever devices are behind it: many servers allow just one
 * session. After a short break the library takes its session up again (`session_restored`) and everything is resolved
 * and subscribed anew; when nothing is heard for too long all of it is thrown away and made fresh, after a pause.
 */
export function openEndpoint(options: EndpointOptions): Endpoint {
  const { address, clock, pki, publishingMs } = options;
  const users = new Set<EndpointUser>();
  const backoff = createBackoff({ firstMs: 1_000, mostMs: 15_000, chance: options.chance });
  let client: OPCUAClient | undefined;
  let session: ClientSession | undefined;
  let link: EndpointLink | undefined;
  let heardMs = clock.monotonicMs();
  let closed = false;
  let cancelRetry = (): void => {};
  /** Requests go one after the other: while the library reconnects they would pile up in it. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const next = turn.then(act);
    turn = next.catch(() => undefined);
    return next;
  };

  async function open(): Promise<void> {
    heardMs = clock.monotonicMs();
    const made = makeClient(address, pki);
    client = made;
    made.on('connection_lost', () => lose(made, new Fault('WIRE_CLOSED', { address: address.endpoint })));
    try {
      // A person may have moved a certificate to the trusted folder since the last try.
      await pki.reloadCertificates();
      const opened = await openSession(made, address, clock);
      if (client !== made) return void (await closeClient(made, opened, clock));
      session = opened;
      opened.on(
        'session_restored',
        () => void establish(made, opened).catch((error: unknown) => fail(made, error)),
      );
      opened.on('session_closed', () => fail(made, new Error('the server closed the session')));
      await establish(made, opened);
      backoff.reset();
    } catch (error) {
      fail(made, error);
    }
  }

  async function establish(made: OPCUAClient, opened: ClientSession): Promise<void> {
    if (client !== made || closed) return;
    const before = link;
    link = undefined;
    await before?.subscription.terminate().catch((error: unknown) => error);
    heardMs = clock.monotonicMs();
    const namespaces = await opened.readNamespaceArray();
    const clockOffsetMs = await readClockOffset(opened, clock);
    const subscription = await openSubscription(opened, publishingMs);
    if (client !== made) return;
    const heard = (): void => {
      heardMs = clock.monotonicMs();
    };
    subscription.on('keepalive', heard);
    subscription.on('received_notifications', heard);
    subscription.on('internal_error', (error) => fail(made, error));
    const up = { session: opened, subscription, namespaces, clockOffsetMs };
    link = up;
    heard();
    for (const user of users) void lead(user, up);
  }

  const lead = (user: EndpointUser, to: EndpointLink): Promise<void> =>
    inTurn(async () => {
      if (link === to && users.has(user)) await user.up(to);
    }).catch((error: unknown) => user.down(asFault(error, address.endpoint)));

  function lose(made: OPCUAClient, fault: Fault): void {
    if (client !== made || closed) return;
    for (const user of users) user.down(fault);
  }

  const reopen = async (): Promise<void> => {
    if (!closed && !client) await open();
  };

  /** Beyond mending from inside: everything of it is ended and made again. */
  function fail(made: OPCUAClient, error: unknown): void {
    if (client !== made || closed) return;
    lose(made, asFault(error, address.endpoint));
    const ending = session;
    client = undefined;
    session = undefined;
    link = undefined;
    const ended = closeClient(made, ending, clock);
    cancelRetry = clock.after(backoff.next(), () => void ended.then(reopen));
  }

  const cancelWatch = clock.every(watchMs, () => {
    const silentMs = clock.monotonicMs() - heardMs;
    if (client && session && silentMs >= silentAfterMs(publishingMs)) {
      fail(client, new Fault('WIRE_SILENT', { address: address.endpoint, sinceMs: Math.round(silentMs) }));
    }
  });

  void open();
  return {
    join: (user) => {
      users.add(user);
      if (link) void lead(user, link);
      return { leave: () => void users.delete(user) };
    },
    close: async () => {
      closed = true;
      cancelRetry();
      cancelWatch();
      const ending = client;
      client = undefined;
      if (ending) await closeClient(ending, session, clock);
    },
  };
}

async function readClockOffset(session: ClientSession, clock: Clock): Promise<number> {
  const { value } = await session.read({ nodeId: currentTimeNode });
  const theirs: unknown = value?.value;
  if (!(theirs instanceof Date)) return 0;
  const offset = clock.nowMs() - theirs.getTime();
  return Math.abs(offset) < 1_000 ? 0 : offset;
}
