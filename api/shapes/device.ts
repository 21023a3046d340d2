import Type from 'typebox';
import type { Device, DeviceHealth, Identity } from '../../model/device.ts';
import { duties } from '../../model/device.ts';
import type { FaultReport } from '../../model/fault.ts';
import { IdSchema } from '../../model/ids.ts';
import type { DeviceRequest } from '../services.ts';
import { atMs, open, record, shape, text, words } from './shape.ts';

export const FaultShape = shape<FaultReport>()(record(faultFields()));
function faultFields() {
  return {
    code: Type.String(),
    class: words(['person', 'world', 'programmer'] as const),
    message: Type.String(),
    whatToDo: Type.String(),
    details: Type.Record(
      Type.String(),
      Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null(), Type.Undefined()]),
    ),
  };
}

export const LinkShape = words(['searching', 'connected', 'lost', 'never-seen'] as const);
export const ModeShape = words(['operating', 'standby', 'demo', 'test'] as const);
export const DutyShape = words(duties);

export const IdentityShape = shape<Identity>()(
  record({
    manufacturer: Type.Optional(Type.String({ maxLength: 128 })),
    model: Type.Optional(Type.String({ maxLength: 128 })),
    serial: Type.Optional(Type.String({ maxLength: 128 })),
  }),
);

/** Described in full by the driver's own schema (`GET /api/v1/drivers`), checked by the device service. */
export const SettingsShape = Type.Unsafe<Readonly<Record<string, unknown>>>(
  Type.Record(Type.String({ maxLength: 64 }), open(), { maxProperties: 64 }),
);

const periodMs = Type.Number({ minimum: 100, maximum: 86_400_000 });

export const DeviceShape = shape<Device>()(
  record({
    id: IdSchema,
    label: Type.String(),
    ward: IdSchema,
    duty: DutyShape,
    driver: Type.Optional(Type.String()),
    host: Type.Optional(Type.String()),
    settings: Type.Optional(SettingsShape),
    identity: Type.Optional(IdentityShape),
    bed: Type.Optional(IdSchema),
    assetNumber: Type.Optional(Type.String()),
    udi: Type.Optional(Type.String()),
    periodMs: Type.Number(),
  }),
);

const asked = {
  label: text(128),
  ward: IdSchema,
  bed: Type.Optional(IdSchema),
  driver: Type.Optional(text(64)),
  host: Type.Optional(IdSchema),
  settings: Type.Optional(SettingsShape),
  duty: Type.Optional(DutyShape),
  identity: Type.Optional(IdentityShape),
  assetNumber: Type.Optional(text(64)),
  udi: Type.Optional(text(128)),
  periodMs: Type.Optional(periodMs),
};
export const DeviceRequestShape = shape<DeviceRequest>()(record({ id: Type.Optional(IdSchema), ...asked }));
export const DeviceChangeShape = shape<Partial<Omit<DeviceRequest, 'id'>>>()(
  record({ ...asked, label: Type.Optional(asked.label), ward: Type.Optional(asked.ward) }),
);

export const DeviceHealthShape = shape<DeviceHealth>()(
  record({
    device: IdSchema,
    link: LinkShape,
    lastMessageAtMs: Type.Optional(atMs()),
    notConfirmed: Type.Optional(Type.Literal(true)),
    mode: Type.Optional(ModeShape),
    identity: Type.Optional(IdentityShape),
    clockOffsetMs: Type.Optional(Type.Number()),
    clockTrusted: Type.Boolean(),
    frames: Type.Number(),
    discardedBytes: Type.Number(),
    badChecksums: Type.Number(),
    lateReplies: Type.Number(),
    disconnectsLastHour: Type.Number(),
    refusals: Type.Number(),
    roundTripP50Ms: Type.Optional(Type.Number()),
    roundTripP99Ms: Type.Optional(Type.Number()),
    pollDebt: Type.Optional(Type.Number()),
    lastFault: Type.Optional(
      record({ ...faultFields(), atMs: Type.Number(), rawHex: Type.Optional(Type.String()) }),
    ),
  }),
);
