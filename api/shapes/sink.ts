import Type from 'typebox';
import type { SinkReport, SinkTest } from '../services.ts';
import { FaultShape } from './device.ts';
import { atMs, record, shape, words } from './shape.ts';

const count = () => Type.Integer({ minimum: 0 });

export const SinkShape = shape<SinkReport>()(
  record({
    id: Type.String(),
    kind: words(['influxdb-1', 'influxdb-2', 'influxdb-3', 'victoriametrics'] as const),
    url: Type.String(),
    place: Type.String({ description: 'Bucket or database.' }),
    longQueries: Type.Boolean({ description: 'Answers what is older than the historian keeps.' }),
    state: words(['delivering', 'waiting', 'paused'] as const),
    sinceMs: Type.Optional(atMs()),
    nextTryAtMs: Type.Optional(atMs()),
    fault: Type.Optional(FaultShape),
    lastSuccessAtMs: Type.Optional(atMs()),
    lagMs: Type.Number({ description: 'Age of the oldest observation it lacks.' }),
    undeliveredBatches: count(),
    liveLagMs: record({ p50: Type.Number(), p99: Type.Number(), max: Type.Number() }),
    stored: count(),
    refused: Type.Integer({ minimum: 0, description: 'Refused for good; they stand in the loss ledger.' }),
    leftOut: Type.Integer({
      minimum: 0,
      description: 'Texts and codes where the server holds numbers only.',
    }),
  }),
);

export const SinkTestShape = shape<SinkTest>()(
  record({
    works: Type.Boolean(),
    says: Type.String({ description: 'The first thing that is wrong, or that all is well.' }),
    findings: Type.Array(
      record({
        about: words(['url', 'server', 'secret', 'place', 'write', 'query', 'clock'] as const),
        outcome: words(['right', 'wrong', 'doubtful', 'not-tried'] as const),
        says: Type.String(),
      }),
    ),
    version: Type.Optional(Type.String()),
    latencyMs: Type.Optional(Type.Number()),
    clockOffsetMs: Type.Optional(Type.Number({ description: "The server's clock minus ours." })),
  }),
);
