import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { Fault } from '../../model/fault.ts';
import { metrics } from '../../model/metric-table.ts';
import { reasons, seriesKey, type Reason } from '../../model/observation.ts';
import { convert } from '../../model/units.ts';

const strict = { additionalProperties: false } as const;
const ReasonSchema = Type.Unsafe<Reason>(Type.Union(reasons.map((each) => Type.Literal(each))));
/** `nsu=URI;s=…`: the namespace by its URI, since its index may change; `{root}` is the setting of that name. */
const NodeSchema = Type.String({ pattern: '^(nsu=[^;]+;)?[isgb]=.+$', maxLength: 512 });

const ValueSchema = Type.Object(
  {
    metric: Type.String({ minLength: 1, maxLength: 96 }),
    channel: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })),
    node: NodeSchema,
    /** UCUM, where the server tells no EngineeringUnits; absent is the metric's own. */
    unit: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })),
    span: Type.Optional(Type.Tuple([Type.Number(), Type.Number()])),
    scale: Type.Optional(Type.Number()),
    /** Raw number or text → code: a coded value. */
    codes: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 64 }))),
    /** The value is text. */
    text: Type.Optional(Type.Boolean()),
  },
  strict,
);

export const MapSchema = Type.Object(
  {
    map: Type.Literal('opcua'),
    version: Type.Literal(1),
    title: Type.String({ minLength: 1, maxLength: 128 }),
    source: Type.String({ minLength: 1, maxLength: 512 }),
    confidence: Type.Optional(Type.String({ maxLength: 64 })),
    publishingMs: Type.Integer({ minimum: 50, maximum: 60_000 }),
    samplingMs: Type.Integer({ minimum: 0, maximum: 60_000 }),
    identity: Type.Optional(
      Type.Object(
        {
          manufacturer: Type.Optional(NodeSchema),
          model: Type.Optional(NodeSchema),
          serial: Type.Optional(NodeSchema),
        },
        strict,
      ),
    ),
    /** What this server means by a status code, where it differs from status.ts: "0x40000000" → reason. */
    statusReasons: Type.Optional(Type.Record(Type.String({ pattern: '^0x[0-9A-Fa-f]{8}$' }), ReasonSchema)),
    values: Type.Array(ValueSchema, { minItems: 1, maxItems: 500 }),
  },
  strict,
);
export type OpcuaMap = Static<typeof MapSchema>;
export type OpcuaValue = OpcuaMap['values'][number];

/** Checks a map; a Fault MAP_INVALID names the first wrong place. */
export function readMap(name: string, content: unknown): OpcuaMap {
  const wrong = (path: string, cause: string): Fault => new Fault('MAP_INVALID', { map: name, path, cause });
  if (!Value.Check(MapSchema, content)) {
    const [first] = Value.Errors(MapSchema, content);
    const cause = first?.keyword === 'boolean' ? 'is not part of a map' : (first?.message ?? 'is wrong');
    throw wrong(first?.instancePath || '/', cause);
  }
  const keys = new Set<string>();
  for (const [index, value] of content.values.entries()) {
    const key = seriesKey(value.metric, value.channel);
    if (keys.has(key)) throw wrong(`/values/${index}`, `${key} stands twice`);
    keys.add(key);
    const own = metrics.get(value.metric)?.unit;
    if (
      own !== undefined &&
      value.unit !== undefined &&
      convert(1, value.unit, own, value.metric) === undefined
    ) {
      throw wrong(`/values/${index}/unit`, `${value.unit} is not known to convert to ${own}`);
    }
  }
  return content;
}
