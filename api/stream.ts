import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import websocket from '@fastify/websocket';
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import { Compile } from 'typebox/compile';
import Type, { type Static } from 'typebox';
import type { WebSocket } from 'ws';
import type { Alarm } from '../model/alarm.ts';
import type { Clock } from '../model/clock.ts';
import { IdSchema } from '../model/ids.ts';
import type { Person } from '../model/person.ts';
import { hasRole, knowsPatients, personOf, sees, watching } from './auth.ts';
import type { DeliveryConnection, FrameKind, LiveSubscription, LiveWatch, Services } from './services.ts';
import { record } from './shapes/shape.ts';
import { streamPath } from './sockets.ts';

export interface StreamOptions {
  readonly services: Services;
  readonly clock: Clock;
  /** Where upgrade requests come from (sockets.ts). */
  readonly upgrades: Server;
  readonly limits: { readonly streams: number };
}

const Waves = Type.Array(
  record({
    bed: IdSchema,
    metrics: Type.Optional(Type.Array(Type.String({ maxLength: 96 }), { maxItems: 16 })),
  }),
  { maxItems: 64 },
);
const WatchShape = record({
  watch: record({
    wards: Type.Optional(Type.Array(IdSchema, { maxItems: 1000 })),
    beds: Type.Optional(Type.Array(IdSchema, { maxItems: 1000 })),
  }),
  from: Type.Optional(record({ epoch: Type.String({ maxLength: 64 }), seq: Type.Integer({ minimum: 0 }) })),
  waves: Type.Optional(Waves),
});
const WavesShape = record({ waves: Waves });
const BeatShape = record({
  beat: record({
    visible: Type.Boolean(),
    wakeLock: Type.Boolean(),
    audio: Type.Boolean(),
    battery: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    nowMs: Type.Number(),
  }),
});
const From = Type.Optional(
  record({ epoch: Type.String({ maxLength: 64 }), number: Type.Integer({ minimum: 0 }) }),
);
const HandheldShape = record({ handheld: record({ shift: Type.String({ maxLength: 64 }), from: From }) });
const BoardShape = record({ board: record({ from: From }) });
const Numbers = Type.Array(Type.Integer({ minimum: 1 }), { maxItems: 5_000 });
const isWatch = Compile(WatchShape);
const isBeat = Compile(BeatShape);
const isWaves = Compile(WavesShape);
const isHandheld = Compile(HandheldShape);
const isBoard = Compile(BoardShape);
const isReceived = Compile(record({ received: Numbers }));
const isShown = Compile(record({ shown: Numbers }));

/** Waves are left out first: with this much unread nobody draws in time. */
const wavesWaitBytes = 16_384;
/** Values wait for a reader only up to here; beyond, it gets the newest ones when it has caught up. */
const valuesWaitBytes = 65_536;
/** A reader that leaves this much unread is closed: it reads again from its seq. */
const mostWaitingBytes = 8 * 1_048_576;
/** Nothing taken for so long (and so much longer as the waiting bytes need at 128 kB/s): stalled. */
const stalledMs = 5_000;
const slowestBytesPerMs = 128;
/** One ping a second; with so many unanswered it is closed, so a dead reader is gone within 5 s. */
const unansweredPings = 4;
const lateTickMs = 1_500;
const firstFrameMs = 5_000;
/** Watch, beats and confirmations: a handheld in a flood confirms what came in one frame a turn. */
const framesPerSecond = 100;
const sessionCheckTicks = 5;

interface House extends StreamOptions {
  readonly encode: (text: string) => Buffer;
}

interface Reader {
  /** `late`: this thread stood still, so silence says nothing. */
  tick(nowMs: number, late: boolean): void;
  end(code: number, why: string): void;
}

/** GET /api/v1/stream (DESIGN 6): one WebSocket a screen, by session cookie, only from our own origin. */
export const serveStream: FastifyPluginAsync<StreamOptions> = async (app, options) => {
  const readers = new Set<Reader>();
  const encode = encodeOnce();
  await app.register(websocket, {
    options: { maxPayload: 65_536, server: options.upgrades, perMessageDeflate: false },
    preClose: (done: () => void) => {
      for (const reader of readers) reader.end(1001, 'the gateway stops');
      done();
    },
    errorHandler: (_error, socket) => socket.terminate(),
  });
  let tickedMs = options.clock.monotonicMs();
  const stop = options.clock.every(1_000, () => {
    const nowMs = options.clock.monotonicMs();
    // A thread that was late itself has not read the answers that lie there: nobody is to be closed for that.
    const late = nowMs - tickedMs > lateTickMs;
    tickedMs = nowMs;
    for (const reader of readers) reader.tick(nowMs, late);
  });
  app.addHook('onClose', async () => stop());

  app.get(streamPath, { websocket: true, config: { roles: watching } }, (socket, request) => {
    if (readers.size >= options.limits.streams) return socket.close(1013, 'too many streams');
    const reader = openReader(socket, request, { ...options, encode });
    readers.add(reader);
    socket.on('close', () => readers.delete(reader));
  });
};

function openReader(socket: WebSocket, request: FastifyRequest, { services, clock, encode }: House): Reader {
  const person = personOf(request);
  const secret = request.sessionSecret ?? '';
  const wire = request.raw.socket;
  const out = makeOutlet({ socket, wire, clock, encode });
  const openedMs = clock.monotonicMs();
  let subscription: LiveSubscription | undefined;
  let waves: ReturnType<Services['waveforms']['subscribe']> | undefined;
  let delivery: DeliveryConnection | undefined;
  let unanswered = 0;
  let ticks = 0;
  let frames = 0;

  const leave = (): void => {
    subscription?.close();
    waves?.close();
    delivery?.close();
  };
  const end = (code: number, why: string): void => {
    leave();
    if (out.waiting()) return socket.terminate();
    socket.close(code, why);
    (wire as Socket).destroySoon();
  };

  socket.on('pong', () => (unanswered = 0));
  socket.on('close', leave);
  socket.on('message', (data: Buffer, binary: boolean) => {
    if (++frames > framesPerSecond) return end(1008, 'too many frames');
    const said = binary ? undefined : parse(data);
    if (subscription && isBeat.Check(said)) {
      subscription.beat(said.beat);
      delivery?.beat(said.beat);
    } else if (subscription && takeDelivery(said)) return;
    else if (!subscription && isWatch.Check(said)) {
      const watch = watchOf(person, said);
      subscription = services.live.subscribe(watch, out.send);
      waves = services.waveforms.subscribe(watch.beds, out.sendWaves);
      if (said.waves) waves.ask(said.waves);
    } else if (waves && isWaves.Check(said)) waves.ask(said.waves);
    else end(1008, 'a frame that is none of the stream’s');
  });

  const deliver = (text: string): void => void out.send(text, 'alarm');
  /** False: the frame is none of a handheld or board. */
  const takeDelivery = (said: unknown): boolean => {
    if (delivery && isReceived.Check(said)) delivery.received(said.received);
    else if (delivery && isShown.Check(said)) delivery.shown(said.shown);
    else if (!delivery && isHandheld.Check(said)) {
      const { shift, from } = said.handheld;
      const connected = services.deliveries.connectHandheld(person, shift, deliver, from);
      if (typeof connected === 'string') deliver(JSON.stringify({ refused: { shift, why: connected } }));
      else delivery = connected;
    } else if (!delivery && isBoard.Check(said) && hasRole(person, 'display'))
      delivery = services.deliveries.connectBoard(person, deliver, said.board.from);
    else return false;
    return true;
  };

  return {
    end,
    tick: (nowMs, late) => {
      frames = 0;
      if (late) unanswered = 0;
      if (out.stalled(nowMs) || unanswered >= unansweredPings) {
        leave();
        return socket.terminate();
      }
      if (!subscription && nowMs - openedMs > firstFrameMs) return end(1008, 'no watch came');
      // An open stream keeps its session: the screen may lock, the shift's alarms go on (CLINICAL 7).
      if (++ticks % sessionCheckTicks === 0 && !services.identity.person(secret))
        return end(4401, 'signed out');
      unanswered++;
      socket.ping();
    },
  };
}

function watchOf(person: Person, { watch, from }: Static<typeof WatchShape>): LiveWatch {
  const wards = watch.wards && new Set(watch.wards);
  const named = watch.beds && new Set(watch.beds);
  const all = !wards && !named;
  const beds: LiveWatch['beds'] = (bed) =>
    sees(person, bed.ward) && (all || wards?.has(bed.ward) === true || named?.has(bed.id) === true);
  const alarms = (alarm: Alarm): boolean => {
    // Without a ward it is the house's own (disk, host, clock): it holds nothing of a patient.
    if (alarm.ward === undefined) return true;
    return beds({ ward: alarm.ward, id: alarm.bed ?? '' });
  };
  return { beds, alarms, patients: knowsPatients(person), ...(from ? { from } : {}) };
}

interface OutletOptions {
  readonly socket: WebSocket;
  /** The connection below it: frames of one round are gathered into one write. */
  readonly wire: Pick<Socket, 'cork' | 'uncork'>;
  readonly clock: Clock;
  readonly encode: (text: string) => Buffer;
}

/** What one socket may owe its reader: bounded in bytes and in time; values and beats are left out first. */
function makeOutlet({ socket, wire, clock, encode }: OutletOptions) {
  let gathering = false;
  let pendingBytes = 0;
  let takenAtMs = 0;
  const send = (text: string, kind: FrameKind): boolean => {
    if (socket.readyState !== socket.OPEN) return true;
    const optional = kind === 'values' || kind === 'beat';
    if (optional && pendingBytes > valuesWaitBytes) return false;
    if (pendingBytes > mostWaitingBytes) {
      socket.terminate();
      return true;
    }
    if (pendingBytes === 0) takenAtMs = clock.monotonicMs();
    const bytes = encode(text);
    pendingBytes += bytes.length;
    if (optional && !gathering) gather();
    socket.send(bytes, { binary: false }, () => {
      pendingBytes -= bytes.length;
      takenAtMs = clock.monotonicMs();
    });
    // An alarm waits for nobody's values, not even to the end of the tick.
    if (!optional) release();
    return true;
  };
  const sendWaves = (frame: Uint8Array): boolean => {
    if (socket.readyState !== socket.OPEN || pendingBytes > wavesWaitBytes) return false;
    if (pendingBytes === 0) takenAtMs = clock.monotonicMs();
    pendingBytes += frame.length;
    if (!gathering) gather();
    socket.send(frame, { binary: true }, () => {
      pendingBytes -= frame.length;
      takenAtMs = clock.monotonicMs();
    });
    return true;
  };
  const gather = (): void => {
    gathering = true;
    wire.cork();
    process.nextTick(release);
  };
  const release = (): void => {
    if (!gathering) return;
    gathering = false;
    wire.uncork();
  };
  const stalled = (nowMs: number): boolean =>
    pendingBytes > 0 && nowMs - takenAtMs > stalledMs + pendingBytes / slowestBytesPerMs;
  return { send, sendWaves, stalled, waiting: () => pendingBytes > 0 };
}

/** A frame goes to many readers in a row: its bytes are made for the first of them. */
function encodeOnce(): (text: string) => Buffer {
  let last = '';
  let bytes = Buffer.alloc(0);
  return (text) => {
    if (text !== last) {
      last = text;
      bytes = Buffer.from(text, 'utf8');
    }
    return bytes;
  };
}

function parse(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    return undefined;
  }
}
