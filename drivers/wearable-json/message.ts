import { metrics } from '../../model/metric-table.ts';
import { convert } from '../../model/units.ts';
import { missing, within, type Told } from '../transport/told.ts';
import { readBtHome } from './bthome.ts';
import type { Property } from './settings.ts';

export type Properties = Readonly<Record<string, Property>>;

/**
 * Words that need no setting. The temperature of an advertisement is by default the room's: nobody knows whether the
 * thermometer is on a patient until somebody says so in the settings.
 */
export const known: Properties = {
  tempc: { metric: 'room-temperature', unit: 'Cel' },
  tempf: { metric: 'room-temperature', unit: '[degF]' },
  hum: { metric: 'humidity', unit: '%' },
  batt: { metric: 'charge', unit: '%' },
  spo2: { metric: 'MDC_PULS_OXIM_SAT_O2', unit: '%' },
  heart_rate: { metric: 'MDC_PULS_RATE', unit: '/min' },
};

/** How senders write that there is no value. */
const none = new Set(['', 'nan', 'null', 'none', 'unknown', 'unavailable']);
const decimal = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/;
/** A property list that is longer is none of a wearable. */
const mostProperties = 64;

/** What a Sparkplug metric is called where no setting says otherwise: the last part of its name counts. */
const sparkplugWords: Properties = {
  ...known,
  hr: { metric: 'MDC_ECG_HEART_RATE', unit: '/min' },
  pr: { metric: 'MDC_PULS_OXIM_PULS_RATE', unit: '/min' },
  rr: { metric: 'MDC_RESP_RATE', unit: '/min' },
};

/**
 * One metric of a Sparkplug payload by its name (`vitals/hr`): the whole name or its last part as set, else as known. A
 * sender's null is a sensor that is off. `no-metric` for a name that means nothing; undefined for no value of its metric.
 */
export function observeWord(
  name: string,
  said: unknown,
  properties: Properties,
): Told | 'no-metric' | undefined {
  const last = name.slice(name.lastIndexOf('/') + 1);
  const own = (words: Properties, word: string): Property | undefined =>
    Object.hasOwn(words, word) ? words[word] : undefined;
  const property =
    own(properties, name) ??
    own(properties, last) ??
    own(sparkplugWords, last) ??
    (metrics.has(last) ? { metric: last } : undefined);
  if (!property) return 'no-metric';
  const told =
    said === null ? missing(property.metric, 'sensor-off') : seen(property.metric, property.unit, said);
  return told && withChannel(told, property.channel);
}

/** A message: JSON of an advertisement, or a bare state whose word is `property`. */
export function readMessage(payload: Buffer, properties: Properties, property: string | undefined): Told[] {
  const refused = (cause: string): Told[] => [{ kind: 'refused', cause, raw: payload }];
  const text = payload.toString('utf8').trim();
  if (!text.startsWith('{')) {
    if (property === undefined) return refused('a bare state, and no word for it');
    if (!meaning(property, properties)) return refused('a word that has no metric');
    const told = observe(property, text, properties);
    return told ? [{ kind: 'frame' }, told] : refused('no number');
  }
  const json = parse(text);
  if (!json) return refused('no JSON object');
  const entries = [...Object.entries(json), ...advertised(json)];
  if (entries.length > mostProperties) return refused('too many properties');
  const wrong = entries.filter(
    ([word, said]) => meaning(word, properties) && !observe(word, said, properties),
  );
  return [
    { kind: 'frame' },
    ...identity(json),
    ...entries.flatMap(([word, said]) => observe(word, said, properties) ?? []),
    ...wrong.flatMap(([word]) => refused(`${plain(word)} is no value of its metric`)),
  ];
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The address of the advertisement tells whether it is the wearable that was registered. */
function identity({ id }: Readonly<Record<string, unknown>>): Told[] {
  const isAddress = typeof id === 'string' && /^([0-9A-Fa-f]{2}:?){5}[0-9A-Fa-f]{2}$/.test(id);
  return isAddress ? [{ kind: 'identity', identity: { serial: id } }] : [];
}

/** Service data that the gateway on the ward did not decode: BTHome. What it did decode counts before. */
function advertised(json: Readonly<Record<string, unknown>>): [string, unknown][] {
  const { servicedatauuid: uuid, servicedata: data } = json;
  if (typeof uuid !== 'string' || !/^(0x)?fcd2$/i.test(uuid) || typeof data !== 'string') return [];
  return readBtHome(data).filter(([word]) => !Object.hasOwn(json, word));
}

const meaning = (word: string, properties: Properties): Property | undefined =>
  Object.hasOwn(properties, word) ? properties[word] : Object.hasOwn(known, word) ? known[word] : undefined;

/** Undefined for a word without a metric, and for what is no value of its metric. */
function observe(word: string, said: unknown, properties: Properties): Told | undefined {
  const property = meaning(word, properties);
  if (!property) return undefined;
  const { metric, channel, unit } = property;
  const told = seen(metric, unit, said);
  return told && withChannel(told, channel);
}

const withChannel = (told: Told, channel: string | undefined): Told =>
  channel !== undefined && told.kind === 'observation' ? { ...told, channel } : told;

function seen(metric: string, unit: string | undefined, said: unknown): Told | undefined {
  const row = metrics.get(metric);
  if (said === null || (typeof said === 'string' && none.has(said.trim().toLowerCase())))
    return missing(metric, 'not-measured');
  if (row && row.value !== 'number') {
    const word = typeof said === 'string' ? said.slice(0, 64) : undefined;
    return word === undefined ? undefined : { kind: 'observation', metric, text: word, validity: 'valid' };
  }
  const number = numberOf(said);
  if (number === undefined) return undefined;
  if (!row) {
    const strange = { kind: 'observation', metric, value: number, validity: 'questionable' } as const;
    return { ...strange, mark: 'unknown-metric', ...(unit !== undefined && { unit }) };
  }
  const own = unit === undefined ? number : convert(number, unit, row.unit, metric);
  if (own === undefined) return missing(metric, 'unit');
  return within(metric, Math.round(own * 1000) / 1000, row.span ?? [-Infinity, Infinity]);
}

function numberOf(said: unknown): number | undefined {
  if (typeof said === 'number') return Number.isFinite(said) ? said : undefined;
  const number = typeof said === 'string' && decimal.test(said.trim()) ? Number(said) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

const plain = (word: string): string => word.replace(/[^ -~]/g, '·').slice(0, 24);
