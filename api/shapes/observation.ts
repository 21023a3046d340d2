import Type from 'typebox';
import { reasons, validities } from '../../model/observation.ts';
import type { BedView, DeviceAtBed, LatestValue } from '../../model/stream.ts';
import type { ObservationFigure, ObservationRow, ObservationSaid } from '../services.ts';
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
    toReview: Type.Optional(Type.Number()),
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

const said = {
  value,
  text: Type.Optional(Type.String()),
  code: Type.Optional(Type.String()),
  system: Type.Optional(Type.String()),
  validity: ValidityShape,
  reason: Type.Optional(ReasonShape),
};
const SaidShape = shape<ObservationSaid>()(record(said));
const SourceShape = words(['preferred', 'substitute', 'beside'] as const);
const whose = {
  patient: Type.Optional(Type.String()),
  encounter: Type.Optional(Type.String()),
  bed: Type.Optional(Type.String()),
};

export const ObservationRowShape = shape<ObservationRow>()(
  record({
    device: Type.String(),
    metric: Type.String(),
    channel: Type.Optional(Type.String()),
    takenAtMs: Type.Number(),
    receivedAtMs: Type.Number(),
    ...said,
    unit: Type.String(),
    historical: Type.Boolean(),
    unplaced: Type.Boolean({ description: 'backlog without a usable time, attributed to nobody' }),
    boot: Type.String(),
    seq: Type.Number(),
    ...whose,
    source: Type.Optional(SourceShape),
    corrected: Type.Optional(
      record({
        by: Type.String(),
        atMs: Type.Number(),
        why: Type.String(),
        retracted: Type.Boolean(),
        was: SaidShape,
      }),
    ),
  }),
);

export const FigureShape = shape<ObservationFigure>()(
  record({
    device: Type.Optional(Type.String()),
    metric: Type.String(),
    channel: Type.Optional(Type.String()),
    unit: Type.String(),
    fromMs: Type.Number(),
    count: Type.Number(),
    value,
    takenAtMs: Type.Optional(Type.Number()),
    source: Type.Optional(SourceShape),
    missing: Type.Optional(
      words(['not-associated', 'standby', 'away', 'device-silent', 'not-measured', 'not-valid'] as const),
    ),
    reason: Type.Optional(Type.String()),
    ...whose,
  }),
);
