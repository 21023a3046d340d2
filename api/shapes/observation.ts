import Type from 'typebox';
import { reasons, validities } from '../../model/observation.ts';
import type { BedView, DeviceAtBed, LatestValue } from '../../model/stream.ts';
import type { ObservationAggregateRow, ObservationRow } from '../services.ts';
import { EncounterShape, MonitoringShape, PatientShape } from './census.ts';
import { DirectionShape } from './alarm.ts';
import { LinkShape, ModeShape } from './device.ts';
import { record, shape, words } from './shape.ts';

const ValidityShape = words(validities);
const ReasonShape = words(reasons);
const value = Type.Union([Type.Number(), Type.Null()], { description: 'null: missing, with its reason' });

export const LatestValueShape = shape<LatestValue>()(
  record({
    device: Type.String(),
    metric: Type.String(),
    channel: Type.Optional(Type.String()),
    label: Type.String(),
    unit: Type.String(),
    decimals: Type.Number(),
    episodic: Type.Boolean(),
    value,
    text: Type.Optional(Type.String()),
    code: Type.Optional(Type.String()),
    reason: Type.Optional(ReasonShape),
    validity: ValidityShape,
    takenAtMs: Type.Number(),
    receivedAtMs: Type.Number(),
    staleAfterMs: Type.Optional(Type.Number()),
  }),
);

const DeviceAtBedShape = shape<DeviceAtBed>()(
  record({
    device: Type.String(),
    label: Type.String(),
    link: LinkShape,
    lastMessageAtMs: Type.Optional(Type.Number()),
    mode: Type.Optional(ModeShape),
  }),
);

export const BedViewShape = shape<BedView>()(
  record({
    bed: Type.String(),
    ward: Type.String(),
    label: Type.String(),
    monitoring: MonitoringShape,
    patient: Type.Optional(PatientShape),
    encounter: Type.Optional(EncounterShape),
    profileAsked: Type.Optional(words(['no', 'confirm', 'age'] as const)),
    deviceJudged: Type.Optional(Type.Array(Type.String())),
    devices: Type.Array(DeviceAtBedShape),
    values: Type.Array(LatestValueShape),
    limits: Type.Array(
      record({
        metric: Type.String(),
        direction: DirectionShape,
        priority: Type.String(),
        value: Type.Number(),
      }),
    ),
  }),
);

export const ObservationRowShape = shape<ObservationRow>()(
  record({
    device: Type.String(),
    metric: Type.String(),
    channel: Type.Optional(Type.String()),
    takenAtMs: Type.Number(),
    receivedAtMs: Type.Number(),
    value,
    text: Type.Optional(Type.String()),
    code: Type.Optional(Type.String()),
    system: Type.Optional(Type.String()),
    unit: Type.String(),
    validity: ValidityShape,
    reason: Type.Optional(ReasonShape),
    historical: Type.Boolean(),
    unplaced: Type.Boolean({ description: 'backlog without a usable time, attributed to nobody' }),
    boot: Type.String(),
    seq: Type.Number(),
    patient: Type.Optional(Type.String()),
    encounter: Type.Optional(Type.String()),
    bed: Type.Optional(Type.String()),
  }),
);

export const AggregateRowShape = shape<ObservationAggregateRow>()(
  record({
    device: Type.String(),
    metric: Type.String(),
    channel: Type.Optional(Type.String()),
    unit: Type.String(),
    fromMs: Type.Number(),
    count: Type.Number(),
    value,
  }),
);
