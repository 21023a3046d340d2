import Type from 'typebox';
import { IdSchema } from '../../model/ids.ts';
import {
  profiles,
  type Association,
  type Bed,
  type Encounter,
  type Patient,
  type Ward,
} from '../../model/census.ts';
import { atMs, record, shape, text, words } from './shape.ts';

export const ProfileShape = words(profiles);
export const MonitoringShape = words(['on', 'standby', 'away'] as const);
export const SexShape = words(['female', 'male', 'other', 'unknown'] as const);
export const BirthDateShape = Type.String({
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
  description: 'yyyy-mm-dd',
});

export const WardShape = shape<Ward>()(record({ id: IdSchema, name: text(128), profile: ProfileShape }));

export const BedShape = shape<Bed>()(record({ id: IdSchema, ward: IdSchema, label: text(64) }));

export const PatientShape = shape<Patient>()(
  record({
    id: Type.String(),
    mrn: Type.Optional(Type.String()),
    name: Type.Optional(Type.String()),
    birthDate: Type.Optional(Type.String()),
    sex: Type.Optional(SexShape),
    temporary: Type.Boolean(),
    mergedInto: Type.Optional(Type.String()),
  }),
);

export const EncounterShape = shape<Encounter>()(
  record({
    id: Type.String(),
    patient: Type.String(),
    ward: IdSchema,
    bed: Type.Optional(IdSchema),
    profile: ProfileShape,
    profileConfirmedBy: Type.Optional(Type.String()),
    admittedAtMs: atMs(),
    dischargedAtMs: Type.Optional(atMs()),
    moves: Type.Optional(
      Type.Array(record({ ward: IdSchema, bed: Type.Optional(IdSchema), untilMs: atMs() }), {
        description: 'where it was before, oldest first',
      }),
    ),
  }),
);

export const AssociationShape = shape<Association>()(
  record({
    id: Type.String(),
    device: IdSchema,
    bed: IdSchema,
    encounter: Type.Optional(Type.String()),
    beginAtMs: atMs(),
    endAtMs: Type.Optional(atMs()),
    begunBy: Type.String(),
    endedBy: Type.Optional(Type.String()),
    corrections: Type.Optional(
      Type.Array(
        record({
          atMs: atMs(),
          by: Type.String(),
          reason: Type.String(),
          beginAtMs: atMs(),
          endAtMs: Type.Optional(atMs()),
        }),
        { description: 'what it was before each correction, oldest first' },
      ),
    ),
  }),
);
