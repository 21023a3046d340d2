import { Compile } from 'typebox/compile';
import { hostTopic, type HostBranch } from '../../broker/topics.ts';
import type { Cancel, Clock } from '../../model/clock.ts';
import type { Device } from '../../model/device.ts';
import { Fault } from '../../model/fault.ts';
import type { Chance, DeviceId, HostId } from '../../model/ids.ts';
import {
  HostReplySchema,
  HostStateSchema,
  RawReplySchema,
  type HostConfig,
  type HostReply,
  type HostRequest,
  type HostState,
  type RawReply,
} from '../../model/wire.ts';

const replyCheck = Compile(HostReplySchema);
const stateCheck = Compile(HostStateSchema);
const rawReplyCheck = Compile(RawReplySchema);

/** A host tells its state every 2 s; three misses and it is lost. */
const silentAfterMs = 6_000;
const testMs = 10_000;
const askMs = 5_000;

type Without<T, K extends string> = T extends unknown ? Omit<T, K> : never;
export type Question = Without<HostRequest, 'requestId'>;

export interface HostsOptions {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly publish: (topic: string, payload: string, options: { retain: boolean }) => void;
  readonly devicesOn: (host: HostId) => readonly Device[];
  /** The hospital's own maps that its devices name. */
  readonly mapsOf: (host: HostId) => Readonly<Record<string, unknown>>;
  /** The host is gone, and with it all its devices: one alarm that lists their beds. */
  readonly lost: (host: HostId, why: Fault) => void;
  readonly back: (host: HostId) => void;
  /** Each state message. */
  readonly told: (host: HostId, state: HostState) => void;
  /** What became of a foreign message it was handed. */
  readonly rawReply: (host: HostId, reply: RawReply) => void;
}

interface Held {
  revision: number;
  state: HostState | undefined;
  heardAtMs: number;
  up: boolean;
  everUp: boolean;
}
interface Pending {
  readonly answer: (reply: HostReply | 'host-away') => void;
  readonly cancel: Cancel;
}

/** The gateway's end of `v1/host/…`: configuration down, state and replies up, and whether each host is alive. */
export class Hosts {
  private readonly options: HostsOptions;
  private readonly hosts = new Map<HostId, Held>();
  private readonly pending = new Map<string, Pending>();
  private readonly stop: Cancel;

  constructor(options: HostsOptions) {
    this.options = options;
    this.stop = options.clock.every(1_000, () => this.watch());
  }

  /** Publishes (retained) what the host runs now. */
  configure(host: HostId): void {
    const held = this.held(host);
    held.revision += 1;
    const config: HostConfig = {
      version: 1,
      revision: held.revision,
      devices: this.options.devicesOn(host).flatMap((device) =>
        device.driver === undefined || device.duty === 'maintenance'
          ? []
          : [
              {
                device: device.id,
                driver: device.driver,
                settings: { ...device.settings },
                identity: device.identity,
                periodMs: device.periodMs,
              },
            ],
      ),
      maps: this.options.mapsOf(host),
    };
    this.options.publish(hostTopic(host, 'config'), JSON.stringify(config), { retain: true });
  }

  /** A message of the host itself. What cannot be read is answered with nothing: the host is ours, its log tells. */
  take(host: HostId, branch: HostBranch, payload: Uint8Array): void {
    const parsed = parse(payload);
    if (branch === 'state' && stateCheck.Check(parsed)) this.takeState(host, parsed);
    else if (branch === 'reply' && rawReplyCheck.Check(parsed)) this.options.rawReply(host, parsed);
    else if (branch === 'reply' && replyCheck.Check(parsed)) {
      const asked = this.pending.get(parsed.requestId);
      this.pending.delete(parsed.requestId);
      asked?.cancel();
      asked?.answer(parsed);
    }
  }

  /** Asks a host something; `host-away` when it is, or does not answer in time. */
  ask(host: HostId, question: Question, withinMs = askMs): Promise<HostReply | 'host-away'> {
    if (!this.held(host).up) return Promise.resolve('host-away');
    const request = { ...question, requestId: this.options.chance.id('request') } as HostRequest;
    return new Promise((answer) => {
      const cancel = this.options.clock.after(withinMs, () => {
        this.pending.delete(request.requestId);
        answer('host-away');
      });
      this.pending.set(request.requestId, { answer, cancel });
      this.options.publish(hostTopic(host, 'request'), JSON.stringify(request), { retain: false });
    });
  }

  /** Opens a device on the host for at most 10 s and answers what was seen. */
  test(
    host: HostId,
    driver: string,
    settings: Readonly<Record<string, unknown>>,
  ): Promise<HostReply | 'host-away'> {
    const question = { ask: 'test', driver, settings: { ...settings }, forMs: testMs } as const;
    return this.ask(host, question, testMs + askMs);
  }

  /** Listens for 10 s to a device that runs on the host. */
  listenIn(host: HostId, device: DeviceId): Promise<HostReply | 'host-away'> {
    return this.ask(host, { ask: 'watch', device, forMs: testMs }, testMs + askMs);
  }

  /** Forgets a host that was taken out of the registry. */
  forget(host: HostId): void {
    this.hosts.delete(host);
    this.options.publish(hostTopic(host, 'config'), '', { retain: true });
  }

  stateOf(host: HostId): {
    readonly up: boolean;
    readonly heardAtMs: number;
    readonly state: HostState | undefined;
  } {
    return this.held(host);
  }

  /** What a host says of one of its devices. */
  deviceState(host: HostId, device: DeviceId): NonNullable<HostState['devices']>[number] | undefined {
    return this.hosts.get(host)?.state?.devices?.find((told) => told.device === device);
  }

  all(): IterableIterator<[HostId, Held]> {
    return this.hosts.entries();
  }

  close(): void {
    this.stop();
    for (const { cancel, answer } of this.pending.values()) {
      cancel();
      answer('host-away');
    }
    this.pending.clear();
  }

  private takeState(host: HostId, state: HostState): void {
    const held = this.held(host);
    const last = held.state;
    if (state.link === 'death') {
      // The will of an older connection comes late: it must not bury the one that is alive.
      if (!last || last.boot !== state.boot || state.seq < last.seq - 1) return;
      this.lose(host, held, 'its connection ended');
      return;
    }
    held.state = state;
    held.heardAtMs = this.options.clock.monotonicMs();
    if (!held.up) {
      held.up = true;
      if (held.everUp) this.options.back(host);
      held.everUp = true;
    }
    this.options.told(host, state);
  }

  private watch(): void {
    const now = this.options.clock.monotonicMs();
    for (const [host, held] of this.hosts) {
      if (held.up && now - held.heardAtMs > silentAfterMs) this.lose(host, held, 'it fell silent');
    }
  }

  private lose(host: HostId, held: Held, cause: string): void {
    if (!held.up) return;
    held.up = false;
    this.options.lost(host, new Fault('HOST_GATEWAY_LOST', { host, cause }));
  }

  private held(host: HostId): Held {
    let held = this.hosts.get(host);
    if (!held)
      this.hosts.set(
        host,
        (held = { revision: 0, state: undefined, heardAtMs: 0, up: false, everUp: false }),
      );
    return held;
  }
}

function parse(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('utf8'));
  } catch {
    return undefined;
  }
}
