import type { ActiveAlert } from '../transport/told.ts';
import { alarmsOf } from './alarms.ts';
import { ambientOf, cuffLabel, valuesOf, type Value } from './groups.ts';
import { mainTypes, readRecord, type Part } from './record.ts';
import { blockOf, type WaveBlock } from './waves.ts';

/** What one record means. */
export interface Told {
  readonly mainType: number;
  readonly timeS: number;
  readonly values: readonly Value[];
  /** Label bits of the cuff; undefined where the record has no values. */
  readonly cuff: number | undefined;
  readonly alerts: readonly ActiveAlert[] | undefined;
  readonly waves: readonly WaveBlock[];
}

const displayed = 1;
const alarmStatus = 1;
const physiologicalLength = 278;

/** Remembers the ambient pressure, without which a CO2 wave has no unit of ours. */
export function createDecoder(): { take(record: Buffer): Told | string } {
  let ambientMmHg: number | undefined;

  const basic = (parts: readonly Part[]): Buffer[] | string => {
    const found: Buffer[] = [];
    for (const { type, bytes } of parts) {
      if (type !== displayed) continue;
      if (bytes.length < physiologicalLength) return 'physiological data too short';
      const dataClass = (bytes.readUInt16LE(276) >> 8) & 15;
      if (dataClass === 0) found.push(bytes.subarray(4, 274));
    }
    return found;
  };

  return {
    take: (bytes) => {
      const record = readRecord(bytes);
      if (typeof record === 'string') return record;
      const { mainType, timeS, parts } = record;
      const nothing = { mainType, timeS, values: [], cuff: undefined, alerts: undefined, waves: [] };
      if (mainType === mainTypes.physiological) {
        const data = basic(parts);
        const first = typeof data === 'string' ? undefined : data[0];
        if (typeof data === 'string') return data;
        if (!first) return nothing;
        ambientMmHg = ambientOf(first) ?? ambientMmHg;
        return { ...nothing, values: data.flatMap(valuesOf), cuff: cuffLabel(first) };
      }
      if (mainType === mainTypes.alarm) {
        const status = parts.find(({ type }) => type === alarmStatus);
        const alerts = status && alarmsOf(status.bytes);
        return typeof alerts === 'string' ? alerts : { ...nothing, alerts };
      }
      if (mainType !== mainTypes.wave) return nothing;
      const waves = parts.map((part) => blockOf(part, ambientMmHg)).filter((block) => block !== undefined);
      return { ...nothing, waves };
    },
  };
}
