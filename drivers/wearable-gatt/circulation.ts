import type { Reason } from '../../model/observation.ts';
import {
  firstOf,
  observe,
  packet,
  type Item,
  type Packet,
  type ReadPacket,
  type Standing,
} from './packet.ts';
import type { Reader } from './reader.ts';

type Rows = readonly (readonly [bit: number, reason: Reason])[];
const rate = [0, 350] as const;

/** 2A37. RR intervals are of the beats before this packet, the last one newest. */
export const heartRate: ReadPacket = (reader, timeZone) => {
  const flags = reader.u8();
  const number = flags & 0x01 ? reader.u16() : reader.u8();
  if (flags & 0x08) reader.u16();
  const intervals: number[] = [];
  while (flags & 0x10 && reader.left() >= 2) intervals.push((reader.u16() / 1024) * 1000);
  // Contact is known to the belt, and there is none.
  const none: Reason | undefined = (flags & 0x06) === 0x04 ? 'sensor-off' : undefined;
  const heart = observe({ metric: 'MDC_ECG_HEART_RATE', seen: { number }, span: rate }, { none });
  const beats = intervals.map((intervalMs, n): Item => {
    const seen = { number: Math.round(intervalMs * 10) / 10 };
    const agoMs = Math.round(intervals.slice(n + 1).reduce((sum, each) => sum + each, 0));
    return { ...observe({ metric: 'rr-interval', seen, span: [0, 64_000] }, { none }), agoMs };
  });
  return packet(reader, [heart, ...beats], { timeZone });
};

/** Measurement status of both oximeter characteristics (PLX service 1.0). */
const unmeasured: Rows = [
  [15, 'invalid'],
  [13, 'not-measured'],
];
const marked: Rows = [
  [10, 'demo'],
  [11, 'test'],
  [12, 'calibrating'],
  [14, 'artefact'],
];
/** Device and sensor status. */
const off: Rows = [
  [15, 'sensor-off'],
  [11, 'sensor-off'],
  [14, 'device-fault'],
  [12, 'device-fault'],
  [1, 'device-fault'],
];
const poor: Rows = [
  [10, 'artefact'],
  [13, 'artefact'],
  [6, 'artefact'],
  [8, 'artefact'],
  [2, 'artefact'],
  [5, 'low-signal'],
  [3, 'low-signal'],
  [4, 'low-signal'],
  [7, 'low-signal'],
  [9, 'searching'],
];
const ongoing = 0x0020;

/** 2A5E: one measurement; while it goes on, its number is not the result yet. */
export const oximeterSpot: ReadPacket = (reader, timeZone) => {
  const flags = reader.u8();
  const values = [reader.sfloat(), reader.sfloat()];
  const stamp = flags & 0x01 ? reader.stamp() : undefined;
  const measurement = flags & 0x02 ? reader.u16() : undefined;
  const state = flags & 0x04 ? reader.u24() : 0;
  const amplitude = flags & 0x08 ? reader.sfloat() : undefined;
  // Bit 4: the device's clock was never set, so its time says nothing.
  const believed = flags & 0x10 && stamp !== 'wrong' ? undefined : stamp;
  const unfinished = (measurement ?? 0) & ongoing ? 'ongoing' : undefined;
  return oximeter({ reader, values, amplitude, measurement, state, unfinished, stamp: believed, timeZone });
};

/** 2A5F: the normal pair; the fast and the slow one are the same with other averaging and not told. */
export const oximeterContinuous: ReadPacket = (reader, timeZone) => {
  const flags = reader.u8();
  const values = [reader.sfloat(), reader.sfloat()];
  for (const bit of [0x01, 0x02]) if (flags & bit) void [reader.sfloat(), reader.sfloat()];
  const measurement = flags & 0x04 ? reader.u16() : undefined;
  const state = flags & 0x08 ? reader.u24() : 0;
  const amplitude = flags & 0x10 ? reader.sfloat() : undefined;
  return oximeter({ reader, values, amplitude, measurement, state, timeZone });
};

interface Oximeter {
  readonly reader: Reader;
  /** Saturation and pulse rate. */
  readonly values: readonly ReturnType<Reader['sfloat']>[];
  readonly amplitude: ReturnType<Reader['sfloat']> | undefined;
  readonly measurement: number | undefined;
  readonly state: number;
  readonly unfinished?: Reason | undefined;
  readonly stamp?: ReturnType<Reader['stamp']> | undefined;
  readonly timeZone: string;
}

function oximeter({
  reader,
  values,
  amplitude,
  measurement,
  state,
  unfinished,
  stamp,
  timeZone,
}: Oximeter): Packet {
  const bits = measurement ?? 0;
  const standing: Standing = {
    none: firstOf(bits, unmeasured) ?? firstOf(state, off),
    mark: firstOf(bits, marked) ?? firstOf(state, poor) ?? unfinished,
  };
  const empty = { none: 'not-measured' } as const;
  const items = [
    observe({ metric: 'MDC_PULS_OXIM_SAT_O2', seen: values[0] ?? empty, span: [0, 100] }, standing),
    observe({ metric: 'MDC_PULS_OXIM_PULS_RATE', seen: values[1] ?? empty, span: rate }, standing),
  ];
  if (amplitude)
    items.push(observe({ metric: 'MDC_BLD_PERF_INDEX', seen: amplitude, span: [0, 100] }, standing));
  const mode = standing.mark === 'demo' || standing.mark === 'test' ? standing.mark : 'operating';
  return packet(reader, items, { stamp, timeZone, mode: measurement === undefined ? undefined : mode });
}

/** Measurement status of a blood pressure: the arm moved, the cuff is loose, it is not at the heart's height. */
const disturbed: Rows = [
  [0, 'artefact'],
  [1, 'artefact'],
  [5, 'artefact'],
];

/** 2A35. The user is a number of the device's own and no patient of ours: it is not read. */
export const bloodPressure: ReadPacket = (reader, timeZone) => {
  const flags = reader.u8();
  const values = [reader.sfloat(), reader.sfloat(), reader.sfloat()];
  const stamp = flags & 0x02 ? reader.stamp() : undefined;
  const pulse = flags & 0x04 ? reader.sfloat() : undefined;
  if (flags & 0x08) reader.u8();
  const standing: Standing = { mark: flags & 0x10 ? firstOf(reader.u16(), disturbed) : undefined };
  const unit = flags & 0x01 ? { from: 'kPa', to: 'mm[Hg]' } : {};
  const items = ['SYS', 'DIA', 'MEAN'].map((part, n) => {
    const seen = values[n] ?? ({ none: 'not-measured' } as const);
    return observe({ metric: `MDC_PRESS_BLD_NONINV_${part}`, seen, span: [0, 400], ...unit }, standing);
  });
  if (pulse) items.push(observe({ metric: 'MDC_PULS_RATE_NON_INV', seen: pulse, span: rate }, standing));
  return packet(reader, items, { stamp, timeZone });
};
