import type { Told } from '../transport/told.ts';
import { observeWord, type Properties } from './message.ts';
import type { Kind, SparkplugName } from './names.ts';
import { readPayload, type SparkplugMetric, type SparkplugPayload } from './payload.ts';

/** A live metric whose own time is further from ours has a clock nobody set. */
const clockToleranceMs = 60_000;
/** A birth names its aliases; a bedside has no more. */
const mostAliases = 1_024;

export type SparkplugTold = Told | { readonly kind: 'link'; readonly link: 'connected' | 'lost' };

export interface Sparkplug {
  /** One message. `nowMs`: when it was received. */
  read(topic: string, payload: Buffer, nowMs: number): SparkplugTold[];
}

/**
 * Reads births, data and deaths. An alias means what the last birth said: a data message before it, or after a death,
 * gives nothing, since an alias of another birth may be another quantity. A rebirth is never asked for (that is a command).
 */
export function createSparkplug(name: SparkplugName | undefined, properties: Properties): Sparkplug {
  const aliases = new Map<string, string>();
  let bdSeq: string | undefined;

  const birth = (metrics: readonly SparkplugMetric[]): void => {
    aliases.clear();
    for (const metric of metrics.slice(0, mostAliases))
      if (metric.alias !== undefined && metric.name !== undefined) aliases.set(metric.alias, metric.name);
  };

  const death = (payload: SparkplugPayload, ofNode: boolean): SparkplugTold[] => {
    const said = bdSeqOf(payload);
    // The will of an older connection must not end the newer one (Sparkplug 3.0, 6.4.7).
    if (ofNode && said !== undefined && bdSeq !== undefined && said !== bdSeq) return [];
    aliases.clear();
    return [{ kind: 'link', link: 'lost' }];
  };

  return {
    read: (topic, bytes, nowMs) => {
      const refused = (cause: string): SparkplugTold[] => [{ kind: 'refused', cause, raw: bytes }];
      const payload = readPayload(bytes);
      if (!payload) return refused('no Sparkplug payload');
      const kind = topic.split('/')[2] as Kind | undefined;
      const ofNode = kind?.startsWith('N') === true;
      if (kind === 'NDEATH' || kind === 'DDEATH') return death(payload, ofNode);
      if (kind === 'NBIRTH') bdSeq = bdSeqOf(payload);
      if (ofNode && name?.device !== undefined) {
        // The node's own metrics are none of a device behind it, whose birth follows.
        aliases.clear();
        return [{ kind: 'frame' }];
      }
      if (kind === 'NBIRTH' || kind === 'DBIRTH') birth(payload.metrics);
      const told = payload.metrics.flatMap((metric): SparkplugTold[] => {
        const word = metric.name ?? (metric.alias === undefined ? undefined : aliases.get(metric.alias));
        if (word === undefined) return refused('an alias that no birth has named');
        const seen = observeWord(word, valueOf(metric), properties);
        if (seen === 'no-metric') return [];
        if (!seen) return refused(`${word.replace(/[^ -~]/g, '·').slice(0, 24)} is no value of its metric`);
        return [timed(seen, metric, payload, nowMs)];
      });
      return [{ kind: 'frame' }, ...told];
    },
  };
}

const bdSeqOf = ({ metrics }: SparkplugPayload): string | undefined => {
  const metric = metrics.find((each) => each.name === 'bdSeq');
  return metric && (metric.longValue ?? metric.intValue?.toString());
};

/** null = the sender says that it has none. Signed integers come as their two's complement (datatype 1 to 4). */
function valueOf(metric: SparkplugMetric): unknown {
  if (metric.isNull) return null;
  if (metric.intValue !== undefined) return signed(metric.intValue, metric.datatype);
  if (metric.longValue !== undefined)
    return metric.datatype === 4
      ? Number(BigInt.asIntN(64, BigInt(metric.longValue)))
      : Number(metric.longValue);
  return metric.floatValue ?? metric.doubleValue ?? metric.booleanValue ?? metric.stringValue;
}

const signed = (value: number, datatype: number | undefined): number => {
  const bits = datatype === 1 ? 8 : datatype === 2 ? 16 : datatype === 3 ? 32 : 0;
  return bits === 0 ? value : Number(BigInt.asIntN(bits, BigInt(value)));
};

/** At the metric's own time, if a live one's fits ours; else at its arrival, marked. */
function timed(seen: Told, metric: SparkplugMetric, payload: SparkplugPayload, nowMs: number): SparkplugTold {
  const takenAtMs = metric.timestamp ?? payload.timestamp;
  if (seen.kind !== 'observation' || takenAtMs === undefined) return seen;
  const aheadMs = takenAtMs - nowMs;
  const fits = metric.isHistorical ? aheadMs <= clockToleranceMs : Math.abs(aheadMs) <= clockToleranceMs;
  if (fits) return { ...seen, takenAtMs: Math.min(takenAtMs, nowMs) };
  const doubt = seen.validity === 'valid' ? ({ validity: 'questionable', mark: 'clock' } as const) : {};
  return { ...seen, ...doubt, takenAtMs: nowMs } as Told;
}
