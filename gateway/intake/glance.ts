import type { DeviceAtBed, LatestValue } from '../../model/stream.ts';
import type { LiveDevice, Series } from './live-device.ts';

/** A continuous value is stale after the larger of 10 s and 3 of its periods. */
const staleFloorMs = 10_000;
const stalePeriods = 3;

/** What a bed's tile shows of a device now. */
export function glance(
  device: string,
  label: string,
  live: LiveDevice | undefined,
): { device: DeviceAtBed; values: LatestValue[] } {
  return {
    device: {
      device,
      label,
      link: live?.link ?? 'never-seen',
      lastMessageAtMs: live?.lastMessageAtMs,
      mode: live?.mode,
    },
    values: live === undefined ? [] : latestValues(live),
  };
}

export const latestValues = (live: LiveDevice): LatestValue[] =>
  [...live.series.values()].flatMap((series) =>
    series.latest === undefined ? [] : [latestValue(series, series.latest)],
  );

function latestValue(series: Series, latest: NonNullable<Series['latest']>): LatestValue {
  const { metric } = series;
  return {
    device: series.device,
    metric: series.metricId,
    channel: series.channel,
    label: metric?.label ?? series.metricId,
    unit: metric?.unit ?? '1',
    decimals: metric?.decimals ?? 0,
    episodic: series.episodic,
    value: latest.value,
    text: latest.text,
    code: latest.code,
    reason: latest.reason,
    validity: latest.validity,
    takenAtMs: latest.takenAtMs,
    receivedAtMs: latest.receivedAtMs,
    staleAfterMs: series.episodic
      ? undefined
      : Math.max(staleFloorMs, stalePeriods * (metric?.periodMs ?? 0)),
  };
}
