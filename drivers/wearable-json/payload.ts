/** The wire form of Sparkplug B (Eclipse Sparkplug 3.0, section 6.4): only the fields that are read. */
import protobuf from 'protobufjs';

const { Field, Type } = protobuf;

const Metric = new Type('Metric')
  .add(new Field('name', 1, 'string', 'optional'))
  .add(new Field('alias', 2, 'uint64', 'optional'))
  .add(new Field('timestamp', 3, 'uint64', 'optional'))
  .add(new Field('datatype', 4, 'uint32', 'optional'))
  .add(new Field('isHistorical', 5, 'bool', 'optional'))
  .add(new Field('isTransient', 6, 'bool', 'optional'))
  .add(new Field('isNull', 7, 'bool', 'optional'))
  .add(new Field('intValue', 10, 'uint32', 'optional'))
  .add(new Field('longValue', 11, 'uint64', 'optional'))
  .add(new Field('floatValue', 12, 'float', 'optional'))
  .add(new Field('doubleValue', 13, 'double', 'optional'))
  .add(new Field('booleanValue', 14, 'bool', 'optional'))
  .add(new Field('stringValue', 15, 'string', 'optional'));
const Payload = new Type('Payload')
  .add(Metric)
  .add(new Field('timestamp', 1, 'uint64', 'optional'))
  .add(new Field('metrics', 2, 'Metric', 'repeated'))
  .add(new Field('seq', 3, 'uint64', 'optional'));
new protobuf.Root().add(Payload);

/** A metric as it stands in the packet; times are ms UTC by the sender's clock. */
export interface SparkplugMetric {
  readonly name?: string;
  readonly alias?: string;
  readonly timestamp?: number;
  readonly datatype?: number;
  readonly isHistorical?: boolean;
  readonly isNull?: boolean;
  readonly intValue?: number;
  /** Decimal digits: 64 bits do not fit a number. */
  readonly longValue?: string;
  readonly floatValue?: number;
  readonly doubleValue?: number;
  readonly booleanValue?: boolean;
  readonly stringValue?: string;
}
export interface SparkplugPayload {
  readonly timestamp?: number;
  readonly metrics: readonly SparkplugMetric[];
}

/** A packet of one edge node or device is small; more metrics are none of a bedside. */
const mostMetrics = 512;

/** Undefined for what is no such payload. */
export function readPayload(bytes: Buffer): SparkplugPayload | undefined {
  try {
    const plain = Payload.toObject(Payload.decode(bytes), { longs: String, arrays: true }) as {
      timestamp?: string;
      metrics: (Omit<SparkplugMetric, 'timestamp'> & { timestamp?: string })[];
    };
    if (plain.metrics.length > mostMetrics) return undefined;
    return {
      ...time(plain.timestamp),
      metrics: plain.metrics.map(({ timestamp, ...metric }) => ({ ...metric, ...time(timestamp) })),
    };
  } catch (error) {
    // protobufjs tells truncated and wrong bytes by RangeError and Error alike; nothing else can go wrong in it.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

const time = (digits: string | undefined): { timestamp?: number } =>
  digits === undefined ? {} : { timestamp: Number(digits) };
