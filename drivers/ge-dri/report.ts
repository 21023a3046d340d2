import { instantOf } from '../../model/local-time.ts';
import { metrics } from '../../model/metric-table.ts';
import { seriesKey } from '../../model/observation.ts';
import type { DriverHost, Emitted } from '../driver.ts';
import { createAlerts } from '../transport/teller.ts';
import type { Told } from './decoder.ts';
import { nibpBits, observationOf, type Value } from './groups.ts';

/** Hands what a record told to the host: values of modules that were ever there, each cuff pressure once. */
export function createReport(
  host: DriverHost,
  device: string,
  timeZone: string | undefined,
): (told: Told) => void {
  const seen = new Set<string>();
  const alerts = createAlerts(host);
  let lastCuff: string | undefined;

  const isCuff = ({ metric }: Value): boolean => metrics.get(metric)?.episodic === true;

  /** The record tells no measuring time: a cuff pressure is new when it differs, or after the cuff was at work. */
  const cuff = (values: readonly Value[], label: number, nowMs: number): Emitted[] => {
    if (label & (nibpBits.measuring | nibpBits.stasis)) {
      lastCuff = undefined;
      return [];
    }
    const text = JSON.stringify(values.map((value) => value.seen));
    if (text === lastCuff) return [];
    const unknownAge = (label & nibpBits.old) !== 0;
    lastCuff = text;
    return values.map((value) => {
      const doubt = unknownAge && value.validity === 'valid';
      const marked = doubt ? ({ ...value, validity: 'questionable', mark: 'clock' } as const) : value;
      return { kind: 'observation', ...observationOf(marked), takenAtMs: nowMs } as Emitted;
    });
  };

  return (told) => {
    const nowMs = host.clock.nowMs();
    const deviceMs = told.timeS * 1_000;
    if (deviceMs > 0)
      host.state(device, { clockMs: timeZone === undefined ? deviceMs : localMs(deviceMs, timeZone) });
    const fitted = told.values.filter(({ optional, metric, channel, seen: found }) => {
      const key = seriesKey(metric, channel);
      if (!('value' in found) || found.value !== null) seen.add(key);
      return !optional || seen.has(key);
    });
    const items: Emitted[] = [
      ...fitted
        .filter((value) => !isCuff(value))
        .map((value) => ({ kind: 'observation', ...observationOf(value), takenAtMs: nowMs }) as Emitted),
      ...(told.cuff === undefined ? [] : cuff(fitted.filter(isCuff), told.cuff, nowMs)),
      ...told.waves.map((wave): Emitted => {
        const lengthMs = (wave.samples.length * wave.periodUs) / 1_000;
        return { kind: 'waveform', ...wave, takenAtMs: Math.round(nowMs - lengthMs) };
      }),
      ...(told.alerts ? alerts(told.alerts) : []),
    ];
    if (items.length > 0) host.emit(device, items);
  };
}

/** Seconds that count a local time, as an instant. */
function localMs(deviceMs: number, zone: string): number {
  const at = new Date(deviceMs);
  return instantOf(
    {
      year: at.getUTCFullYear(),
      month: at.getUTCMonth() + 1,
      day: at.getUTCDate(),
      hour: at.getUTCHours(),
      minute: at.getUTCMinutes(),
      second: at.getUTCSeconds(),
    },
    zone,
  );
}
