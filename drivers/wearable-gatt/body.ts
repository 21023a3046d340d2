import type { Reason } from '../../model/observation.ts';
import type { ActiveAlert } from '../transport/told.ts';
import { firstOf, observe, packet, type Item, type Packet, type ReadPacket } from './packet.ts';
import { createReader, type Number16 } from './reader.ts';

/** Temperature type: where it was taken. 4 finger and 8 toe are skin; without a type it is the body's. */
const places: Readonly<Record<number, string>> = {
  1: 'MDC_TEMP_AXIL',
  2: 'MDC_TEMP_BODY',
  3: 'MDC_TEMP_TYMP',
  4: 'MDC_TEMP_SKIN',
  5: 'MDC_TEMP_CORE',
  6: 'MDC_TEMP_ORAL',
  7: 'MDC_TEMP_RECT',
  8: 'MDC_TEMP_SKIN',
  9: 'MDC_TEMP_TYMP',
};

/** 2A1C. */
export const thermometer: ReadPacket = (reader, timeZone) => {
  const flags = reader.u8();
  const seen = reader.float();
  const stamp = flags & 0x02 ? reader.stamp() : undefined;
  const metric = places[flags & 0x04 ? reader.u8() : 2] ?? 'MDC_TEMP_BODY';
  const unit = flags & 0x01 ? { from: '[degF]', to: 'Cel' } : {};
  return packet(reader, [observe({ metric, seen, span: [0, 50], ...unit })], { stamp, timeZone });
};

/** 2A9D. FFFF says that the measurement did not succeed. The user is a number of the scale's own: it is not read. */
export const weight: ReadPacket = (reader, timeZone) => {
  const flags = reader.u8();
  const imperial = (flags & 0x01) !== 0;
  const raw = reader.u16();
  const stamp = flags & 0x02 ? reader.stamp() : undefined;
  if (flags & 0x04) reader.u8();
  if (flags & 0x08) reader.u16();
  const height = flags & 0x08 ? reader.u16() : 0;
  const seen: Number16 =
    raw === 0xffff ? { none: 'not-measured' } : { number: imperial ? raw / 100 : raw / 200 };
  const items = [
    observe({
      metric: 'MDC_MASS_BODY_ACTUAL',
      seen,
      span: [0, 500],
      from: imperial ? '[lb_av]' : 'kg',
      to: 'kg',
    }),
  ];
  if (height > 0) {
    const [number, from] = imperial ? [height / 10, '[in_i]'] : [height / 1000, 'm'];
    items.push(observe({ metric: 'MDC_ATTR_PT_HEIGHT', seen: { number }, span: [0, 300], from, to: 'cm' }));
  }
  return packet(reader, items, { stamp, timeZone });
};

const glucoseSpan = [0, 1_500] as const;
/** Status annunciation of a meter: why there is no number. */
const unmeasured: readonly (readonly [number, Reason])[] = [
  [5, 'over-range'],
  [6, 'under-range'],
  [1, 'device-fault'],
  [2, 'device-fault'],
  [3, 'device-fault'],
  [4, 'device-fault'],
  [9, 'device-fault'],
  [10, 'device-fault'],
];
const doubtful: readonly (readonly [number, Reason])[] = [
  [7, 'uncalibrated'],
  [8, 'uncalibrated'],
];
const tissueFluid = 9;
const controlFluid = 10;
const controlLocation = 4;
const timeFault = 0x0800;

/** 2A18. A control solution is no patient's glucose: marked as a test. */
export const glucose: ReadPacket = (reader, timeZone) => {
  const flags = reader.u8();
  reader.u16();
  const base = reader.stamp();
  const offset = flags & 0x01 ? reader.s16() : 0;
  const seen = flags & 0x02 ? reader.sfloat() : undefined;
  const kind = flags & 0x02 ? reader.u8() : 0;
  const status = flags & 0x08 ? reader.u16() : 0;
  const control = (kind & 0x0f) === controlFluid || kind >> 4 === controlLocation;
  const metric = (kind & 0x0f) === tissueFluid ? 'glucose-tissue' : 'MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD';
  const items: Item[] = [];
  if (seen) {
    const from = flags & 0x04 ? 'mol/L' : 'kg/L';
    const standing = {
      none: firstOf(status, unmeasured),
      mark: control ? ('test' as const) : firstOf(status, doubtful),
    };
    items.push(observe({ metric, seen, span: glucoseSpan, from, to: 'mg/dL' }, standing));
  }
  // 7FFF and 8000 say that the offset ran over; a meter that doubts its own time is not believed either.
  const lost = offset === 0x7fff || offset === -0x8000 || (status & timeFault) !== 0;
  const stamp = lost && base !== 'wrong' ? 'unknown' : base;
  return packet(reader, items, { stamp, offsetMin: offset, timeZone });
};

type AlertRow = readonly [
  bit: number,
  alertId: string,
  text: string,
  priority: ActiveAlert['priority'],
  type: ActiveAlert['type'],
];
/** Sensor status annunciation of 2AA7: status, calibration and temperature, warnings; an octet each. */
const cgmAlerts: readonly AlertRow[] = [
  [0, 'cgm-stopped', 'CGM session stopped', 'medium', 'technical'],
  [1, 'cgm-battery-low', 'CGM battery low', 'low', 'technical'],
  [2, 'cgm-wrong-type', 'CGM sensor type incorrect', 'medium', 'technical'],
  [3, 'cgm-malfunction', 'CGM sensor malfunction', 'medium', 'technical'],
  [5, 'cgm-fault', 'CGM device fault', 'medium', 'technical'],
  [16, 'glucose-low', 'Glucose below the patient low level', 'medium', 'physiological'],
  [17, 'glucose-high', 'Glucose above the patient high level', 'medium', 'physiological'],
  [18, 'glucose-hypo', 'Glucose below the hypo level', 'high', 'physiological'],
  [19, 'glucose-hyper', 'Glucose above the hyper level', 'medium', 'physiological'],
  [20, 'glucose-falling', 'Glucose falls fast', 'medium', 'physiological'],
  [21, 'glucose-rising', 'Glucose rises fast', 'medium', 'physiological'],
];
const cgmUnmeasured: readonly (readonly [number, Reason])[] = [
  [22, 'under-range'],
  [23, 'over-range'],
  [0, 'not-measured'],
  [2, 'device-fault'],
  [3, 'device-fault'],
  [5, 'device-fault'],
];
const cgmDoubtful: readonly (readonly [number, Reason])[] = [
  [11, 'uncalibrated'],
  [12, 'uncalibrated'],
  [13, 'uncalibrated'],
];

/** 2AA7: one or more records, each with its size. Its time counts from the start of the session, which is not in it. */
export function cgm(bytes: Buffer): Packet {
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += bytes[at] ?? 1) {
    const size = bytes[at] ?? 0;
    if (size < 6 || at + size > bytes.length) return { cause: 'a record of another size than it says' };
    records.push(bytes.subarray(at, at + size));
  }
  const read = records.map(readCgm);
  const whole = read.filter((record) => record !== undefined);
  const last = whole.at(-1);
  if (!last || whole.length < read.length) return { cause: 'another length than its flags say' };
  const items = whole.map(({ item, offsetMin }): Item => ({
    ...item,
    agoMs: (last.offsetMin - offsetMin) * 60_000,
  }));
  return { items, stamped: false, alerts: last.alerts };
}

function readCgm(record: Buffer): { item: Item; offsetMin: number; alerts: ActiveAlert[] } | undefined {
  const reader = createReader(record.subarray(1));
  const flags = reader.u8();
  const seen = reader.sfloat();
  const offsetMin = reader.u16();
  const octet = (bit: number): number => (flags & bit ? reader.u8() : 0);
  const bits = octet(0x80) + octet(0x40) * 0x100 + octet(0x20) * 0x10000;
  if (flags & 0x01) reader.sfloat();
  if (flags & 0x02) reader.sfloat();
  // Two bytes more are the checksum that some monitors add.
  if (reader.left() === 2) reader.u16();
  if (!reader.whole()) return undefined;
  const standing = { none: firstOf(bits, cgmUnmeasured), mark: firstOf(bits, cgmDoubtful) };
  const item = observe({ metric: 'glucose-tissue', seen, span: glucoseSpan }, standing);
  const alerts = cgmAlerts
    .filter(([bit]) => Math.floor(bits / 2 ** bit) % 2 === 1)
    .map(([bit, alertId, text, priority, type]): ActiveAlert => ({
      alertId,
      code: `CGM-${bit}`,
      text,
      priority,
      type,
      latching: false,
      metric: 'glucose-tissue',
    }));
  return { item, offsetMin, alerts };
}
