import type { Reason } from '../../model/observation.ts';
import type { ActiveAlert, Told } from '../transport/told.ts';
import { batteryCritical, batteryLow, observe, oximeterFault } from './values.ts';

export const frameBytes = 4;

/** Format 8, once a second: STATUS, HR 6-0, SpO2, STATUS2. No checksum: only bit 7 tells the first byte. */
export const isFormat8 = (bytes: Buffer, at: number): boolean =>
  at + frameBytes <= bytes.length &&
  ((bytes[at] ?? 0) & 0x80) !== 0 &&
  [1, 2, 3].every((next) => ((bytes[at + next] ?? 0x80) & 0x80) === 0);

export function readFormat8(bytes: Buffer, at: number): Told[] {
  const [first = 0, low = 0, spo2 = 0, second = 0] = bytes.subarray(at, at + frameBytes);
  const rate = (first & 0x03) * 128 + low;
  const alerts: ActiveAlert[] = [];
  if (second & 0x08) alerts.push(oximeterFault);
  if (second & 0x02) alerts.push(batteryCritical);
  else if (second & 0x01) alerts.push(batteryLow);
  return [
    { kind: 'frame' },
    ...observe({ spo2, rate, none: noneOf(first, second), mark: markOf(first) }),
    { kind: 'alerts', alerts },
  ];
}

function noneOf(first: number, second: number): Reason | undefined {
  if (second & 0x08) return 'device-fault';
  return first & 0x40 ? 'sensor-off' : undefined;
}

function markOf(first: number): Reason | undefined {
  if (first & 0x20) return 'searching';
  if (first & 0x04) return 'artefact';
  return first & 0x10 ? 'low-signal' : undefined;
}
