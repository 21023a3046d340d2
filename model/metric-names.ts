import { findMetric } from './aliases.ts';
import { metrics } from './metric-table.ts';
import { splitKey } from './observation.ts';

/**
 * The series keys that a name asks for: a reference id, its MDC code, another id of the same metric, a tile's label
 * (`HR`: every metric under it) or a quantity (`heart-rate`: all its sources), each with `/channel` if wanted. Undefined
 * for a name that the metric table does not know.
 */
export function metricsNamed(name: string): readonly string[] | undefined {
  const { metric, channel } = splitKey(name);
  const found = idsOf(metric);
  return found?.map((id) => (channel === undefined ? id : `${id}/${channel}`));
}

/** Reference ids that somebody may have meant by a name that is none; at most five. */
export function metricsLike(name: string): readonly string[] {
  const wanted = plain(splitKey(name).metric);
  if (wanted.length < 2) return [];
  const like = [...metrics.values()].filter((metric) =>
    [metric.refId, metric.label, metric.name.en].some((text) => plain(text).includes(wanted)),
  );
  return like.slice(0, 5).map(({ refId }) => refId);
}

function idsOf(name: string): readonly string[] | undefined {
  if (metrics.has(name)) return [name];
  const labelled = byWord.get(plain(name));
  if (labelled) return labelled;
  const alias = findMetric({ code: name, refId: name });
  return alias && [alias.refId];
}

/** Labels differ by case and signs only: SpO2, spo2. */
const plain = (text: string): string => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');

const byWord = new Map<string, string[]>();
for (const metric of metrics.values()) {
  for (const word of new Set([plain(metric.refId), plain(metric.label), plain(metric.quantity)])) {
    byWord.set(word, [...(byWord.get(word) ?? []), metric.refId]);
  }
}
