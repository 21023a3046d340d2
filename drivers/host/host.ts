import { Value } from 'typebox/value';
import { hostTopic } from '../../broker/topics.ts';
import { pause, type Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import type { Chance, DeviceId, HostId } from '../../model/ids.ts';
import { HostConfigSchema, type HostConfig, type HostState, type StateMessage } from '../../model/wire.ts';
import type { Journal } from '../../journal/types.ts';
import type { Emitted } from '../driver.ts';
import { loadDriver } from '../index.ts';
import type { Birth, RunEvents } from './device-run.ts';
import { createDiscoveries } from './discoveries.ts';
import { createFleet } from './fleet.ts';
import { openGatewayLink, type GatewayLink, type GatewayLinkOptions } from './gateway-link.ts';
import { draftMessages } from './messages.ts';
import { openOutbox } from './outbox.ts';
import { createRawFeed } from './raw-feed.ts';
import { answerRequest, readJson, type RequestServices } from './requests.ts';
import { openSeqs } from './seqs.ts';
import type { HostServices } from './session-host.ts';
import { createShares } from './shares.ts';

export interface HostOptions {
  readonly host: HostId;
  readonly gateway: Pick<GatewayLinkOptions, 'url' | 'secret' | 'ca'>;
  readonly folder: string;
  readonly journal: Journal | undefined;
  /** The maps that come with Vigil. */
  readonly maps: ReadonlyMap<string, unknown>;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: (fault: Fault) => void;
}

export interface RunningHost {
  close(): Promise<void>;
}

const stateMs = 2_000;
const memoryBytes = 16_000_000;
const window = 256;
/** One counter for all `state` messages: they take no part in duplicate intervals and must not tear them. */
const stateCounter = '~state';
const goodbyeMs = 1_000;

/** The driver host: runs the devices the gateway names, and tells it everything they say. */
export async function runHost(options: HostOptions): Promise<RunningHost> {
  const { host, clock, chance, journal, log } = options;
  let config: HostConfig | undefined;
  /** Of this connection: the will has this number, the birth the next. */
  let willSeq = 0;
  const gateway: { link?: GatewayLink } = {};
  const publish: GatewayLink['publish'] = (topic, payload, done) =>
    gateway.link?.publish(topic, payload, done) ?? false;

  const seqs = await openSeqs({
    folder: options.folder,
    epoch: journal?.epoch,
    chance,
    rebooted: () => announce(),
    failed: (cause) => log(new Fault('HOST_JOURNAL', { host, cause: messageOf(cause) })),
  });
  await seqs.open(stateCounter);

  const outbox = openOutbox({
    host,
    journal,
    clock,
    memoryBytes,
    window,
    publish,
  });

  const sayState = (device: DeviceId, state: Omit<StateMessage, 'boot' | 'seq'>): void => {
    // Two at a time: a birth's number less one is its will's, and no older death may have it.
    const seq = seqs.takeMany(stateCounter, 2) + 1;
    const message: StateMessage = { boot: seqs.boot, seq, ...state };
    publish(`v1/device/${device}/state`, JSON.stringify(message), () => {});
  };

  const pending = new Map<DeviceId, Emitted[]>();
  const send = (device: DeviceId): void => {
    const items = pending.get(device) ?? [];
    pending.delete(device);
    const { numbers } = raw;
    const aheadMs = raw.serves(device) ? raw.offsetMs : 0;
    for (const { branch, takenAtMs, body } of draftMessages(items, clock.nowMs() + aheadMs)) {
      const name = numbers
        ? { boot: numbers.boot, seq: numbers.take() }
        : { boot: seqs.boot, seq: seqs.take(device) };
      outbox.add(device, branch, { ...name, ...body }, takenAtMs - aheadMs);
    }
  };
  const raw = createRawFeed({ clock, flush: send });
  const readForeign = (payload: Buffer): void => {
    const reply = raw.received(payload);
    if (!reply) return;
    void outbox.kept().then(() => publish(hostTopic(host, 'reply'), JSON.stringify(reply), () => {}));
  };

  /** Who listens in on a device. */
  const watchers = new Map<DeviceId, Set<(items: readonly Emitted[]) => void>>();
  const watch: RequestServices['watch'] = (device, see) => {
    if (!fleet.runs(device)) return undefined;
    const seers = watchers.get(device) ?? new Set();
    watchers.set(device, seers.add(see));
    return {
      report: () => fleet.report().find((report) => report.device === device),
      end: () => void (seers.delete(see) && seers.size === 0 && watchers.delete(device)),
    };
  };

  const events: RunEvents = {
    // What one tick brings is one message.
    emit: (device, items) => {
      for (const see of watchers.get(device) ?? []) see(items);
      const waiting = pending.get(device);
      if (waiting) return void waiting.push(...items);
      pending.set(device, [...items]);
      queueMicrotask(() => send(device));
    },
    kept: () => Promise.resolve().then(() => outbox.kept()),
    // takenAtMs of its messages is by this clock, so this is the clock the gateway must know.
    born: (device, birth: Birth) => {
      const clockMs = clock.nowMs() + (raw.serves(device) ? raw.offsetMs : 0);
      sayState(device, { link: 'birth', ...birth, clockMs });
    },
    died: (device, fault) => {
      if (fault) log(fault);
      sayState(device, { link: 'death', ...(fault && { fault: fault.toJSON() }) });
    },
  };

  const discoveries = createDiscoveries(clock);
  const services: HostServices = {
    clock,
    chance,
    shares: createShares(),
    folder: options.folder,
    map: (name) => config?.maps[name] ?? options.maps.get(name),
    raw: (device, accept) => raw.listen(device, accept),
    discovered: (item) => discoveries.note(item),
  };
  const fleet = createFleet({
    loadDriver,
    services,
    events,
    prepare: (device) => seqs.open(device),
  });

  const requestServices: RequestServices = {
    ...services,
    discoveries: discoveries.list,
    watch,
    maps: options.maps,
  };

  const stateNow = (): HostState => {
    const { recording, undelivered, fault } = outbox.state;
    return {
      boot: seqs.boot,
      // The number of this connection's birth, each time: the will is one less and must stay able to count.
      seq: willSeq + 1,
      link: 'birth',
      ...(config && { revision: config.revision }),
      journal: { recording, undelivered, ...(fault && { fault: fault.toJSON() }) },
      devices: fleet.report(),
    };
  };
  const sayHostState = (): void => {
    publish(hostTopic(host, 'state'), JSON.stringify(stateNow()), () => {});
  };
  const announce = (): void => {
    sayHostState();
    fleet.announce();
  };

  const receive = (topic: string, payload: Buffer): void => {
    if (topic === hostTopic(host, 'raw')) return readForeign(payload);
    if (topic === hostTopic(host, 'request')) {
      void answerRequest(payload, loadDriver, requestServices).then((reply) => {
        if (reply) publish(hostTopic(host, 'reply'), JSON.stringify(reply), () => {});
      });
      return;
    }
    const next = readJson(payload);
    if (!Value.Check(HostConfigSchema, next)) {
      return log(new Fault('CONTRACT_PAYLOAD', { device: host, cause: 'a configuration of another form' }));
    }
    config = next;
    fleet.reconcile(next);
    sayHostState();
  };

  gateway.link = openGatewayLink({
    ...options.gateway,
    host,
    clock,
    chance,
    topics: [hostTopic(host, 'config'), hostTopic(host, 'request'), hostTopic(host, 'raw')],
    will: () => {
      willSeq = seqs.takeMany(stateCounter, 2);
      const state: HostState = { boot: seqs.boot, seq: willSeq, link: 'death' };
      return { topic: hostTopic(host, 'state'), payload: JSON.stringify(state) };
    },
    connected: () => {
      announce();
      outbox.pump();
    },
    lost: (cause) => log(new Fault('HOST_GATEWAY_LOST', { host, cause })),
    received: receive,
  });
  const cancelState = clock.every(stateMs, sayHostState);

  return {
    close: async () => {
      cancelState();
      await fleet.close();
      const state: HostState = { boot: seqs.boot, seq: seqs.take(stateCounter), link: 'death' };
      await new Promise<void>((resolve) => {
        const cancel = clock.after(goodbyeMs, resolve);
        const said = (): void => {
          cancel();
          resolve();
        };
        if (!publish(hostTopic(host, 'state'), JSON.stringify(state), said)) said();
      });
      await gateway.link?.close();
      // A disk that hangs must not keep the host from ending; what is not on it yet is told by its absence.
      await Promise.race([outbox.kept(), pause(clock, goodbyeMs)]);
      outbox.close();
    },
  };
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
