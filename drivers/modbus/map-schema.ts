import Type, { type Static } from 'typebox';
import { priorities } from '../../model/alarm.ts';
import { reasons, type Reason } from '../../model/observation.ts';

/** The form of a Modbus map (YAML): a device described as data. Addresses are zero-based, as on the wire. */
const word = <const W extends readonly string[]>(list: W) =>
  Type.Unsafe<W[number]>(Type.Union(list.map((each) => Type.Literal(each))));
const strict = { additionalProperties: false } as const;

export const orders = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const;
export type Order = (typeof orders)[number];
export const numberTypes = ['u16', 's16', 'u32', 's32', 'f32', 'u64', 's64', 'f64', 'bit'] as const;
export type NumberType = (typeof numberTypes)[number];

const Address = Type.Integer({ minimum: 0, maximum: 65_535 });
const Mask = Type.Integer({ minimum: 1, maximum: 0xffff });
const TableSchema = word(['holding', 'input', 'coil', 'discrete'] as const);
const place = { table: Type.Optional(TableSchema), address: Address };

/** One register looked at through a mask: equal to `equals`, or not zero where `equals` is absent. */
const test = {
  ...place,
  mask: Type.Optional(Mask),
  equals: Type.Optional(Type.Integer({ minimum: 0, maximum: 0xffff })),
};

const MarkSchema = Type.Object(
  {
    ...test,
    reason: Type.Unsafe<Reason>(Type.Union(reasons.map((each) => Type.Literal(each)))),
    /** missing: no value; questionable: the value stays, marked; invalid: stays, never judged. */
    effect: word(['missing', 'questionable', 'invalid'] as const),
    /** Series keys it is about; absent means all. */
    series: Type.Optional(Type.Array(Type.String(), { minItems: 1 })),
    /** The device's own mode while it stands. */
    mode: Type.Optional(word(['standby', 'demo', 'test'] as const)),
  },
  strict,
);

const ValueSchema = Type.Object(
  {
    metric: Type.String({ minLength: 1, maxLength: 96 }),
    channel: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })),
    ...place,
    type: word(numberTypes),
    order: Type.Optional(word(orders)),
    /** Which bits of the register; the number is shifted down to them. For `bit` on registers: exactly one. */
    mask: Type.Optional(Mask),
    /** value = raw × scale + offset, in `unit`. */
    scale: Type.Optional(Type.Number()),
    offset: Type.Optional(Type.Number()),
    /** UCUM; absent is the metric's own. Converted to that where they differ. */
    unit: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })),
    /** In `unit`; outside it the value is invalid. */
    span: Type.Optional(Type.Tuple([Type.Number(), Type.Number()])),
    /** Raw numbers that are no value: "0xFFFF", "32767", "NaN" → why. */
    sentinels: Type.Optional(
      Type.Record(Type.String(), Type.Unsafe<Reason>(Type.Union(reasons.map((each) => Type.Literal(each))))),
    ),
    /** Raw number → code: a coded value. Others are kept as their number. */
    codes: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 64 }))),
    /** Register that holds how old the measurement is: taken = read − age. The value is told once a measurement. */
    age: Type.Optional(
      Type.Object(
        {
          ...place,
          type: word(numberTypes),
          order: Type.Optional(word(orders)),
          /** Raw × msPer = age in ms. */
          msPer: Type.Number({ exclusiveMinimum: 0 }),
          none: Type.Optional(Type.String()),
        },
        strict,
      ),
    ),
    pollMs: Type.Optional(Type.Integer({ minimum: 50, maximum: 3_600_000 })),
    /** A value not read anew for so long is told as missing. */
    maxAgeMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 86_400_000 })),
  },
  strict,
);

const AlertSchema = Type.Object(
  {
    ...test,
    code: Type.String({ minLength: 1, maxLength: 64 }),
    text: Type.String({ minLength: 1, maxLength: 128 }),
    priority: word([...priorities, 'advisory'] as const),
    type: word(['physiological', 'technical'] as const),
    latching: Type.Optional(Type.Boolean()),
    metric: Type.Optional(Type.String()),
  },
  strict,
);

const TextPlace = Type.Object({ ...place, length: Type.Integer({ minimum: 1, maximum: 64 }) }, strict);

export const MapSchema = Type.Object(
  {
    map: Type.Literal('modbus'),
    version: Type.Literal(1),
    title: Type.String({ minLength: 1, maxLength: 128 }),
    source: Type.String({ minLength: 1, maxLength: 512 }),
    confidence: Type.Optional(Type.String({ maxLength: 64 })),
    table: TableSchema,
    order: Type.Optional(word(orders)),
    pollMs: Type.Integer({ minimum: 50, maximum: 3_600_000 }),
    maxAgeMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 86_400_000 })),
    workarounds: Type.Optional(
      Type.Object(
        {
          pauseAfterConnectMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
          pauseBetweenRequestsMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
          oneRequestPerField: Type.Optional(Type.Boolean()),
          /** Registers one request may ask for. */
          largestBlock: Type.Optional(Type.Integer({ minimum: 1, maximum: 125 })),
          /** Unused registers a block may run over; some devices refuse gaps. */
          largestGap: Type.Optional(Type.Integer({ minimum: 0, maximum: 124 })),
        },
        strict,
      ),
    ),
    /** A register of constant content. */
    canary: Type.Optional(
      Type.Object({ ...place, equals: Type.Integer({ minimum: 0, maximum: 0xffff }) }, strict),
    ),
    /** Where the device tells who it is; compared with the registration. */
    identity: Type.Optional(
      Type.Object(
        {
          manufacturer: Type.Optional(TextPlace),
          model: Type.Optional(TextPlace),
          serial: Type.Optional(TextPlace),
        },
        strict,
      ),
    ),
    marks: Type.Optional(Type.Array(MarkSchema)),
    values: Type.Array(ValueSchema, { minItems: 1, maxItems: 500 }),
    alerts: Type.Optional(Type.Array(AlertSchema)),
  },
  strict,
);

export type ModbusMap = Static<typeof MapSchema>;
export type MapValue = ModbusMap['values'][number];
export type MapMark = NonNullable<ModbusMap['marks']>[number];
export type MapAlert = NonNullable<ModbusMap['alerts']>[number];
