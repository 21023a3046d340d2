import Type, { type Static } from 'typebox';
import { IdSchema } from './ids.ts';
import { priorities } from './alarm.ts';
import { reasons, validities } from './observation.ts';

/**
 * The device contract v1 (DESIGN section 5) as schemas: what may stand in a message on `v1/device/…` and
 * `v1/host/…`. Senders in the house (driver hosts, simulators) are typed by it; the front door reads the same
 * shapes by hand, element by element, so that one bad value cannot cost its neighbours.
 */
const words = <const W extends readonly string[]>(list: W) =>
  Type.Unsafe<W[number]>(Type.Union(list.map((word) => Type.Literal(word))));

export const BootSchema = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9._:-]+$' });
export const SeqSchema = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const ValueSchema = Type.Union([
  Type.Number(),
  Type.Object({
    value: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    text: Type.Optional(Type.String({ maxLength: 1024 })),
    code: Type.Optional(Type.String({ maxLength: 128 })),
    system: Type.Optional(Type.String({ maxLength: 128 })),
    unit: Type.Optional(Type.String({ maxLength: 32 })),
    validity: Type.Optional(words(validities)),
    reason: Type.Optional(words(reasons)),
    takenAtMs: Type.Optional(Type.Number()),
  }),
]);
export type WireValue = Static<typeof ValueSchema>;

const common = {
  boot: BootSchema,
  seq: SeqSchema,
  /** Instant of measurement by the sender's clock. */
  takenAtMs: Type.Optional(Type.Number()),
  /** The sender's monotonic age of the values at the instant of sending. */
  ageMs: Type.Optional(Type.Number({ minimum: 0 })),
  historical: Type.Optional(Type.Boolean()),
};

export const ObservationsSchema = Type.Object({
  ...common,
  values: Type.Record(Type.String({ minLength: 1, maxLength: 128 }), ValueSchema),
});
export type ObservationsMessage = Static<typeof ObservationsSchema>;

export const WaveformSchema = Type.Object({
  ...common,
  metric: Type.String({ minLength: 1, maxLength: 96 }),
  channel: Type.Optional(Type.String({ maxLength: 32 })),
  takenAtMs: Type.Number(),
  periodUs: Type.Number({ exclusiveMinimum: 0 }),
  gain: Type.Number(),
  offset: Type.Number(),
  /** base64 of int16 little-endian; −32768 = no sample. */
  samples: Type.String(),
});
export type WaveformMessage = Static<typeof WaveformSchema>;

export const AlertSchema = Type.Object({
  alertId: Type.String({ minLength: 1, maxLength: 128 }),
  code: Type.String({ maxLength: 128 }),
  text: Type.String({ maxLength: 512 }),
  phase: words(['start', 'continue', 'end'] as const),
  priority: words([...priorities, 'advisory'] as const),
  type: words(['physiological', 'technical'] as const),
  latching: Type.Optional(Type.Boolean()),
  metric: Type.Optional(Type.String({ maxLength: 128 })),
  direction: Type.Optional(words(['high', 'low'] as const)),
  inactivation: Type.Optional(
    words(['enabled', 'audioPaused', 'audioOff', 'alarmPaused', 'alarmOff', 'acknowledged'] as const),
  ),
});
export const AlertsSchema = Type.Object({
  ...common,
  alerts: Type.Array(AlertSchema, { maxItems: 256 }),
  /** True: the list holds every alert now active on the device. */
  complete: Type.Boolean(),
});
export type AlertsMessage = Static<typeof AlertsSchema>;

export const IdentitySchema = Type.Object({
  manufacturer: Type.Optional(Type.String({ maxLength: 128 })),
  model: Type.Optional(Type.String({ maxLength: 128 })),
  serial: Type.Optional(Type.String({ maxLength: 128 })),
});

/** The will carries seq n, the birth of that connection n + 1. State takes no part in duplicate intervals. */
export const StateSchema = Type.Object({
  boot: BootSchema,
  seq: SeqSchema,
  link: words(['birth', 'death'] as const),
  mode: Type.Optional(words(['operating', 'standby', 'demo', 'test'] as const)),
  identity: Type.Optional(IdentitySchema),
  clockMs: Type.Optional(Type.Number()),
  /** Why a death was spoken: a fault of the driver, in its plain form. */
  fault: Type.Optional(Type.Unknown()),
});
export type StateMessage = Static<typeof StateSchema>;

// ---- v1/host/{hostId}/… ----

/** `config`, retained by the gateway: all devices this host runs. */
export const HostConfigSchema = Type.Object({
  version: Type.Literal(1),
  /** Grows with every change; the host answers with it in `state`. */
  revision: Type.Integer({ minimum: 0 }),
  devices: Type.Array(
    Type.Object({
      device: IdSchema,
      driver: Type.String(),
      settings: Type.Record(Type.String(), Type.Unknown()),
      identity: Type.Optional(IdentitySchema),
      periodMs: Type.Number({ exclusiveMinimum: 0 }),
    }),
  ),
  maps: Type.Record(Type.String(), Type.Unknown()),
});
export type HostConfig = Static<typeof HostConfigSchema>;

/**
 * `request`: open a device for at most `forMs` without registering it; listen in on one that runs; list serial ports; list
 * senders nobody registered; list the maps that come with Vigil; read a map as its driver would.
 */
export const HostRequestSchema = Type.Union([
  Type.Object({
    requestId: Type.String(),
    ask: Type.Literal('test'),
    driver: Type.String(),
    settings: Type.Record(Type.String(), Type.Unknown()),
    forMs: Type.Number({ minimum: 100, maximum: 10_000 }),
  }),
  Type.Object({ requestId: Type.String(), ask: Type.Literal('discover-serial') }),
  Type.Object({ requestId: Type.String(), ask: Type.Literal('discovered') }),
  Type.Object({
    requestId: Type.String(),
    ask: Type.Literal('watch'),
    device: IdSchema,
    forMs: Type.Number({ minimum: 100, maximum: 10_000 }),
  }),
  Type.Object({ requestId: Type.String(), ask: Type.Literal('maps') }),
  Type.Object({
    requestId: Type.String(),
    ask: Type.Literal('check-map'),
    driver: Type.String(),
    name: Type.String(),
    content: Type.Unknown(),
  }),
]);
export type HostRequest = Static<typeof HostRequestSchema>;

export const HostReplySchema = Type.Object({
  requestId: Type.String(),
  /** DecodedItem-like lines: what was seen. */
  seen: Type.Array(Type.Unknown()),
  fault: Type.Optional(Type.Unknown()),
});
export type HostReply = Static<typeof HostReplySchema>;

/** `raw`: one foreign MQTT message, as the gateway journaled it. */
export const RawMessageSchema = Type.Object({
  device: IdSchema,
  topic: Type.String({ maxLength: 1024 }),
  /** Boot and seq of what is made of it come from these; absent while the gateway can record nothing. */
  boot: Type.Optional(BootSchema),
  number: Type.Optional(Type.Integer({ minimum: 0 })),
  /** By the gateway's clock: when it came, and when it was handed down. */
  receivedAtMs: Type.Number(),
  sentAtMs: Type.Number(),
  /** base64 */
  payload: Type.String(),
});
export type RawMessage = Static<typeof RawMessageSchema>;

/** On `reply`, of raw messages by number: `kept` = what was made of it is on the host's disk; `unread` = no driver is open that could read it. */
export const RawReplySchema = Type.Object({
  raw: Type.Integer({ minimum: 0 }),
  outcome: words(['kept', 'unread'] as const),
});
export type RawReply = Static<typeof RawReplySchema>;

/** Messages one raw message may become at most: their seqs are its number times this, and on. */
export const messagesPerRaw = 64;

/** `state`, every 2 s and as the will with link `death`: the gateway expands a death to all its devices. */
export const HostStateSchema = Type.Object({
  boot: BootSchema,
  seq: SeqSchema,
  link: words(['birth', 'death'] as const),
  revision: Type.Optional(Type.Integer()),
  journal: Type.Optional(
    Type.Object({
      recording: Type.Boolean(),
      undelivered: Type.Number(),
      fault: Type.Optional(Type.Unknown()),
    }),
  ),
  devices: Type.Optional(
    Type.Array(
      Type.Object({
        device: IdSchema,
        link: words(['searching', 'connected', 'lost'] as const),
        frames: Type.Number(),
        discardedBytes: Type.Number(),
        badChecksums: Type.Number(),
        lateReplies: Type.Number(),
        roundTripP50Ms: Type.Optional(Type.Number()),
        roundTripP99Ms: Type.Optional(Type.Number()),
        pollDebt: Type.Optional(Type.Number()),
        disconnectsLastHour: Type.Number(),
        /** The device's own clock minus the host's, where the driver can tell; takenAtMs is by the host's clock. */
        clockOffsetMs: Type.Optional(Type.Number()),
        /** FaultReport & { atMs, rawHex? }. */
        lastFault: Type.Optional(Type.Unknown()),
      }),
    ),
  ),
});
export type HostState = Static<typeof HostStateSchema>;
