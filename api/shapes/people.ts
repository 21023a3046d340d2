import Type from 'typebox';
import { IdSchema } from '../../model/ids.ts';
import {
  mostLevels,
  type Assignment,
  type Chain,
  type Cover,
  type HandheldCheck,
  type Shift,
} from '../../model/people.ts';
import type { AlarmWay, ScreenStatus } from '../services.ts';
import { PriorityShape } from './alarm.ts';
import { atMs, OpaqueId, record, shape, text, words } from './shape.ts';

const check = {
  visible: Type.Boolean(),
  wakeLock: Type.Boolean(),
  audio: Type.Boolean(),
  battery: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  clockOffsetMs: Type.Optional(Type.Number()),
};
export const HandheldCheckShape = shape<HandheldCheck>()(record(check));

export const ShiftShape = shape<Shift>()(
  record({
    id: Type.String(),
    person: Type.String(),
    handheld: Type.String(),
    wards: Type.Array(Type.String()),
    beganAtMs: atMs(),
    endedAtMs: Type.Optional(atMs()),
    check: Type.Optional(record({ ...check, canRing: Type.Boolean() })),
  }),
);

export const AssignmentShape = shape<Assignment>()(
  record({
    id: Type.String(),
    bed: Type.String(),
    ward: Type.String(),
    person: Type.String(),
    beganAtMs: atMs(),
    endedAtMs: Type.Optional(atMs()),
    endedBy: Type.Optional(Type.String()),
  }),
);

export const CoverShape = shape<Cover>()(
  record({
    id: Type.String(),
    ward: Type.String(),
    from: Type.String(),
    to: Type.String(),
    minutes: Type.Number(),
    askedAtMs: atMs(),
    acceptedAtMs: Type.Optional(atMs()),
    untilMs: Type.Optional(atMs()),
    endedAtMs: Type.Optional(atMs()),
  }),
);

const TargetShape = Type.Union([
  record({ assigned: Type.Literal(true) }),
  record({ person: OpaqueId }),
  record({ role: words(['nurse', 'charge-nurse', 'physician'] as const) }),
  record({ board: Type.Literal(true) }),
  record({ outlet: IdSchema }),
]);
const chain = {
  levels: Type.Array(Type.Array(TargetShape, { minItems: 1, maxItems: 50 }), {
    minItems: 1,
    maxItems: mostLevels,
  }),
  patienceS: record({ high: Type.Number(), medium: Type.Number(), low: Type.Number() }),
  quietHours: Type.Optional(
    record({
      from: Type.String({ pattern: '^[0-9]{2}:[0-9]{2}$' }),
      to: Type.String({ pattern: '^[0-9]{2}:[0-9]{2}$' }),
      zone: text(64),
    }),
  ),
};
export const ChainWishShape = shape<Pick<Chain, 'levels' | 'patienceS' | 'quietHours'>>()(record(chain));
export const ChainShape = shape<Chain>()(
  record({
    ward: Type.String(),
    ...chain,
    setBy: Type.Optional(Type.String()),
    setAtMs: Type.Optional(atMs()),
  }),
);

export const AlarmWayShape = shape<AlarmWay>()(
  record({
    alarm: Type.String(),
    ward: Type.Optional(Type.String()),
    bed: Type.Optional(Type.String()),
    priority: PriorityShape,
    sampleReceivedAtMs: Type.Optional(atMs()),
    judgedAtMs: atMs(),
    deliveries: Type.Array(
      record({
        to: Type.String(),
        kind: words(['handheld', 'board', 'outlet'] as const),
        person: Type.Optional(Type.String()),
        delivery: words(['queued', 'sent', 'received', 'shown', 'failed'] as const),
        queuedAtMs: atMs(),
        sentAtMs: Type.Optional(atMs()),
        receivedAtMs: Type.Optional(atMs()),
        shownAtMs: Type.Optional(atMs()),
        failedAtMs: Type.Optional(atMs()),
        why: Type.Optional(Type.String()),
      }),
    ),
    more: Type.Number(),
  }),
);

export const ScreenStatusShape = shape<ScreenStatus>()(
  record({
    id: Type.String(),
    kind: words(['handheld', 'board'] as const),
    person: Type.String(),
    wards: Type.Union([Type.Array(Type.String()), Type.Literal('all')]),
    handheld: Type.Optional(Type.String()),
    connected: Type.Boolean(),
    canRing: Type.Boolean(),
    why: Type.Array(Type.String()),
    battery: Type.Optional(Type.Number()),
    clockOffsetMs: Type.Number(),
    waiting: Type.Number(),
  }),
);
