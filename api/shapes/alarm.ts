import Type from 'typebox';
import {
  priorities,
  type Alarm,
  type AlarmLimit,
  type AlarmRoute,
  type AlarmSource,
} from '../../model/alarm.ts';
import type { LimitRequest } from '../services.ts';
import { atMs, record, shape, text, words } from './shape.ts';

export const PriorityShape = words(priorities);
export const DirectionShape = words(['high', 'low'] as const);

const InactivationShape = words([
  'enabled',
  'audioPaused',
  'audioOff',
  'alarmPaused',
  'alarmOff',
  'acknowledged',
] as const);

const AlarmSourceShape = shape<AlarmSource>()(
  record({
    by: words(['limit', 'device'] as const),
    priority: PriorityShape,
    device: Type.Optional(Type.String()),
    alertId: Type.Optional(Type.String()),
    code: Type.Optional(Type.String()),
    text: Type.Optional(Type.String()),
    latching: Type.Optional(Type.Boolean()),
    inactivation: Type.Optional(InactivationShape),
    lost: Type.Optional(Type.Boolean()),
  }),
);

const AlarmRouteShape = shape<AlarmRoute>()(
  record({
    level: Type.Number(),
    round: Type.Number(),
    sinceMs: atMs(),
    untilMs: Type.Optional(atMs()),
    to: Type.Array(Type.String()),
    rejectedBy: Type.Array(Type.String()),
  }),
);

export const AlarmShape = shape<Alarm>()(
  record({
    id: Type.String(),
    kind: words(['physiological', 'technical'] as const),
    condition: Type.String(),
    priority: PriorityShape,
    ward: Type.Optional(Type.String()),
    bed: Type.Optional(Type.String()),
    device: Type.Optional(Type.String()),
    encounter: Type.Optional(Type.String()),
    metric: Type.Optional(Type.String()),
    channel: Type.Optional(Type.String()),
    direction: Type.Optional(DirectionShape),
    limit: Type.Optional(Type.Number()),
    value: Type.Optional(Type.Number()),
    peak: Type.Optional(Type.Number()),
    unit: Type.Optional(Type.String()),
    presence: words(['absent', 'pending', 'present', 'sourceLost'] as const),
    signal: words(['off', 'on', 'latched'] as const),
    inactivation: InactivationShape,
    responsibility: words(['undefined', 'accepted', 'rejected'] as const),
    onsetAtMs: atMs(),
    raisedAtMs: atMs(),
    endedAtMs: Type.Optional(atMs()),
    acknowledgedBy: Type.Optional(Type.String()),
    acknowledgedAtMs: Type.Optional(atMs()),
    realarmAtMs: Type.Optional(atMs()),
    inactivatedBy: Type.Optional(Type.String()),
    inactivatedAtMs: Type.Optional(atMs()),
    inactivatedUntilMs: Type.Optional(atMs()),
    inactivationReason: Type.Optional(Type.String()),
    acceptedBy: Type.Optional(Type.String()),
    acceptedAtMs: Type.Optional(atMs()),
    acceptUntilMs: Type.Optional(atMs()),
    rejectedBy: Type.Optional(Type.String()),
    latching: Type.Boolean(),
    sources: Type.Array(AlarmSourceShape),
    route: Type.Optional(AlarmRouteShape),
    questionable: Type.Boolean(),
    recorded: Type.Boolean(),
    owner: Type.Optional(words(['nurse', 'biomed', 'admin'] as const)),
    details: Type.Optional(Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]))),
    version: Type.Number(),
  }),
);

export const AlarmLimitShape = shape<AlarmLimit>()(
  record({
    metric: Type.String(),
    direction: DirectionShape,
    priority: PriorityShape,
    value: Type.Number(),
    delayS: Type.Number(),
    hysteresis: Type.Number(),
    maxGapS: Type.Optional(Type.Number()),
    origin: words(['default', 'ward', 'encounter'] as const),
    setBy: Type.Optional(Type.String()),
    setAtMs: Type.Optional(atMs()),
    untilMs: Type.Optional(atMs()),
  }),
);

export const LimitRequestShape = shape<LimitRequest>()(
  record({
    metric: text(128),
    direction: DirectionShape,
    priority: PriorityShape,
    value: Type.Union([Type.Number(), Type.Null()], { description: 'null: this band is off for the stay.' }),
    delayS: Type.Optional(Type.Number({ minimum: 0, maximum: 3600 })),
    hysteresis: Type.Optional(Type.Number({ minimum: 0 })),
    untilMs: Type.Optional(atMs()),
  }),
);
