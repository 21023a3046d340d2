import type { DecodedItem } from '../model/device.ts';
import { metrics } from '../model/metric-table.ts';
import type { Reason } from '../model/observation.ts';

/** One line of `npm run decode`, and of a test case's `expected.json`. The unit is always the metric's own. */
export function printable(item: Exclude<DecodedItem, { kind: 'refused' }>): object {
  if (item.kind === 'alert') return { alert: item.alert };
  if (item.kind === 'identity') return { identity: item.identity };
  if (item.kind === 'waveform') {
    const { kind: _, samples, ...wave } = item;
    return { waveform: { ...wave, samples: [...samples] } };
  }
  const { metric, channel, validity, takenAtMs, mark } = item;
  const seen = item as { value?: number | null; text?: string; code?: string; reason?: Reason };
  const reason = seen.reason ?? mark;
  return {
    metric,
    ...(channel !== undefined && { channel }),
    ...(seen.text !== undefined && { text: seen.text }),
    ...(seen.code !== undefined && { code: seen.code }),
    ...(seen.value !== undefined && { value: seen.value }),
    unit: metrics.get(metric)?.unit ?? item.unit ?? '1',
    validity,
    ...(reason !== undefined && { reason }),
    ...(takenAtMs !== undefined && { takenAtMs }),
  };
}
