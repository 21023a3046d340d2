import { connect, type MqttClient } from 'mqtt';
import { pause, type Cancel, type Clock } from '../model/clock.ts';
import type { Chance, DeviceId } from '../model/ids.ts';
import type { ObservationsMessage, StateMessage } from '../model/wire.ts';
import type { Message, Mischief } from './mischief.ts';
import type { Entry, Outbox } from './wearable-outbox.ts';

export interface LinkOptions {
  readonly url: string;
  readonly clientId: DeviceId;
  readonly secret: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly unconfirmedAtMost?: number;
  readonly mischief?: Mischief;
}

interface Owner {
  readonly boot: string;
  readonly nextSeq: () => number;
  readonly outbox: Outbox;
  readonly deviceTimeMs: () => number | undefined;
}

export interface WearableLink {
  /** Sends what the outbox hands out, as far as there is room. */
  pump(): void;
  /** Sends a block of a wave once, if there is a connection. */
  sendWave(seq: number, payload: Buffer): void;
  connected(): boolean;
  close(): Promise<void>;
}

/** A message on its way, with the connection it belongs to: what was late on a lost connection must not come on the next. */
interface Letter extends Message {
  readonly via: MqttClient;
  readonly seq: number;
  readonly branch?: 'waveforms';
}

const retry = { firstMs: 500, mostMs: 10_000 };
const farewellMs = 2_000;

/** The wearable's connection: a new MQTT client each time, because the will carries a new seq each time. */
export function createLink(options: LinkOptions, owner: Owner): WearableLink {
  const { clock, chance, mischief } = options;
  const { outbox } = owner;
  const topic = (branch: 'observations' | 'waveforms' | 'state'): string =>
    `v1/device/${options.clientId}/${branch}`;
  let client: MqttClient | undefined;
  let up = false;
  let closed = false;
  let failures = 0;
  let waiting: Cancel | undefined;

  const dial = (): void => {
    waiting = undefined;
    if (closed || mischief?.active('cut')) return;
    const will = stateMessage('death', owner.nextSeq(), owner, options);
    const birth = stateMessage('birth', owner.nextSeq(), owner, options);
    const own = connect(options.url, {
      clientId: options.clientId,
      username: options.clientId,
      password: options.secret,
      protocolVersion: 4,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: 5_000,
      keepalive: 10,
      will: { topic: topic('state'), payload: will, qos: 1, retain: false },
    });
    client = own;
    own.on('connect', () => {
      if (client !== own) return;
      up = true;
      failures = 0;
      own.publish(topic('state'), birth, { qos: 1 });
      pump();
    });
    // What went wrong is the gateway's to tell; here it only means dialling again.
    own.on('error', () => lost(own));
    own.on('close', () => lost(own));
  };

  const lost = (own: MqttClient): void => {
    if (client !== own) return;
    client = undefined;
    up = false;
    own.end(true);
    outbox.takeBack();
    if (closed || mischief?.active('cut')) return;
    const mostMs = Math.min(retry.mostMs, retry.firstMs * 2 ** failures++);
    waiting = clock.after(mostMs * (0.5 + chance.fraction() / 2), dial);
  };

  const pump = (): void => {
    const via = client;
    if (!via || !up) return;
    const room = (options.unconfirmedAtMost ?? 20) - outbox.unconfirmed();
    for (const { entry, historical } of outbox.next(room, clock.monotonicMs())) {
      const payload = observations(entry, { boot: owner.boot, historical, nowMonoMs: clock.monotonicMs() });
      carry({ payload, via, seq: entry.seq });
    }
  };

  /** A flood's rubbish has no connection of its own and goes by the present one. */
  const send = (message: Letter | Message): void => {
    const letter = 'via' in message ? message : undefined;
    if (!client || !up || (letter && letter.via !== client)) return;
    client.publish(topic(letter?.branch ?? 'observations'), message.payload, { qos: 1 }, (error) => {
      if (error || !letter || letter.via !== client) return;
      outbox.confirm(letter.seq);
      pump();
    });
  };
  const carry: (letter: Letter) => void = mischief?.messages<Letter>(send) ?? send;

  mischief?.onCut((cut) => {
    if (cut) client?.stream.destroy();
    else if (!client && !waiting) dial();
  });
  dial();

  return {
    pump,
    sendWave: (seq, payload) => {
      if (client && up) carry({ payload, via: client, seq, branch: 'waveforms' });
    },
    connected: () => up,
    close: async () => {
      closed = true;
      waiting?.();
      const own = client;
      if (!own) return;
      if (up) own.publish(topic('state'), stateMessage('death', owner.nextSeq(), owner, options), { qos: 1 });
      // A broker that does not answer any more must not hold the farewell.
      await Promise.race([own.endAsync(!up), pause(clock, farewellMs)]);
      own.end(true);
    },
  };
}

function stateMessage(
  link: StateMessage['link'],
  seq: number,
  { boot, deviceTimeMs }: Owner,
  { clientId }: LinkOptions,
): Buffer {
  const birth: Partial<StateMessage> = {
    mode: 'operating',
    identity: { manufacturer: 'Generic', model: 'Simulated Wearable', serial: clientId },
    clockMs: deviceTimeMs(),
  };
  const message: StateMessage = { boot, seq, link, ...(link === 'birth' && birth) };
  return Buffer.from(JSON.stringify(message));
}

function observations(
  entry: Entry,
  { boot, historical, nowMonoMs }: { boot: string; historical: boolean; nowMonoMs: number },
): Buffer {
  const message: ObservationsMessage = {
    boot,
    seq: entry.seq,
    takenAtMs: entry.takenAtMs,
    ageMs: Math.max(0, Math.round(nowMonoMs - entry.takenMonoMs)),
    historical: historical || undefined,
    values: entry.values,
  };
  return Buffer.from(JSON.stringify(message));
}
