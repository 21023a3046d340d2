import Type, { type Static } from 'typebox';

const count = (value: number, description: string) =>
  Type.Integer({ minimum: 1, default: value, description });

/** Every bound of the broker; `broker.limits` of the configuration. */
export const BrokerLimitsSchema = Type.Object(
  {
    connections: count(4_096, 'connections in all, signed in or not'),
    connectionsPerAddress: count(1_024, 'connections from one address (a proxy counts as one)'),
    waiting: count(512, 'connections in all that have not signed in yet; the oldest yields to a newcomer'),
    waitingPerAddress: count(64, 'the same from one address'),
    connectDeadlineMs: count(5_000, 'the whole CONNECT must be here by then, TLS and WebSocket included'),
    connectBytes: count(4_096, 'largest CONNECT'),
    packetBytes: count(65_536, 'largest packet after CONNECT, its header included'),
    waveformBytes: count(262_144, 'largest PUBLISH on a waveforms branch'),
    topicLevels: count(16, 'levels of a topic or filter'),
    filtersPerSubscribe: count(32, 'filters in one SUBSCRIBE or UNSUBSCRIBE'),
    subscriptionsPerClient: count(64, 'subscriptions one client holds'),
    pendingPerClient: count(
      1_000,
      'publications of one client not confirmed yet; then its socket is not read',
    ),
    pendingBytesPerClient: count(4_194_304, 'the same in payload bytes'),
    pendingInAll: count(20_000, 'publications of all clients not confirmed yet'),
    pendingBytesInAll: count(67_108_864, 'the same in payload bytes'),
    queuedBytesPerClient: count(
      4_194_304,
      'bytes waiting for a client that does not read; then it is dropped',
    ),
    queuedMessagesPerClient: count(
      1_000,
      'messages kept for a persistent session; the newest is not queued then',
    ),
    drainTimeoutMs: count(1_000, 'a client whose socket takes nothing for so long is dropped'),
    connectsPerMinute: count(15, 'connects a minute of one client, or refused ones of one address'),
    banMs: count(300_000, 'how long the next ones are refused then'),
    rememberedClients: count(10_000, 'clients and addresses whose connects and refusals are counted'),
  },
  { additionalProperties: false },
);
export type BrokerLimits = Readonly<Static<typeof BrokerLimitsSchema>>;

/** The defaults, as the schema says them. */
export const brokerLimits: BrokerLimits = Object.fromEntries(
  Object.entries(BrokerLimitsSchema.properties).map(([name, schema]) => [
    name,
    (schema as { default?: number }).default,
  ]),
) as BrokerLimits;
