import type { Identity, Mode } from '../../model/device.ts';
import { asUtc, type LocalTime } from '../../model/local-time.ts';
import { seriesKey } from '../../model/observation.ts';
import type { ActiveAlert } from '../transport/told.ts';
import { alarmsOf } from './alarms.ts';
import { Malformed, type Attributes } from './cursor.ts';
import { selfOf } from './identity.ts';
import { attribute, classes, readClock, type Message, type Poll } from './message.ts';
import { numericsOf, type Numeric } from './numerics.ts';
import { blocksOf, waveFormOf, type WaveBlock, type WaveForm } from './waves.ts';

export interface ToldNumeric extends Numeric {
  readonly handle: number;
  readonly channel?: string;
  /** By the monitor's clock; NIBP and other values that keep the time they were measured. */
  readonly measuredAt?: LocalTime;
}

/** What one message means. */
export interface Told {
  readonly numerics: readonly ToldNumeric[];
  readonly waves: readonly (WaveBlock & { readonly handle: number })[];
  /** Every alert now active; undefined where the message says nothing of alerts. */
  readonly alerts: readonly ActiveAlert[] | undefined;
  readonly identity: Identity | undefined;
  readonly mode: Mode | undefined;
  readonly clock: LocalTime | undefined;
}

export interface Decoder {
  /** In words why it means nothing: an attribute in it is no attribute of that form. */
  take(message: Message): Told | string;
}

const nothing: Told = {
  numerics: [],
  waves: [],
  alerts: undefined,
  identity: undefined,
  mode: undefined,
  clock: undefined,
};

/**
 * Remembers what comes once and is needed later: labels, the form of waves, the other alarm list. One per association,
 * for handles are the monitor's for that long.
 */
export function createDecoder(): Decoder {
  const labels = new Map<number, number>();
  const forms = new Map<number, WaveForm>();
  const lists: { technical: readonly ActiveAlert[]; patient: readonly ActiveAlert[] } = {
    technical: [],
    patient: [],
  };
  const tellApart = createOwners();

  const numerics = (poll: Poll): ToldNumeric[] =>
    poll.objects.flatMap(({ handle, attributes }) => {
      const label = attributes.get(attribute.label);
      if (label?.length === 4) labels.set(handle, label.readUInt32BE(0));
      const measured = attributes.get(attribute.measuredAt);
      const measuredAt = measured && readClock(measured);
      return numericsOf(attributes, labels.get(handle)).map((numeric) => {
        const channel = tellApart(numeric, handle);
        return {
          ...numeric,
          handle,
          ...(channel !== undefined && { channel }),
          ...(measuredAt && { measuredAt }),
        };
      });
    });

  const waves = (poll: Poll): (WaveBlock & { handle: number })[] =>
    poll.objects.flatMap(({ handle, attributes }) => {
      const form = waveFormOf(attributes, forms.get(handle));
      if (form) forms.set(handle, form);
      return blocksOf(attributes, form).map((block) => ({ ...block, handle }));
    });

  const alerts = (all: readonly Attributes[]): Pick<Told, 'alerts' | 'mode'> => {
    let mode: Mode | undefined;
    let told = false;
    for (const attributes of all) {
      const found = alarmsOf(attributes);
      mode ??= found.mode;
      told ||= found.technical !== undefined || found.patient !== undefined;
      lists.technical = found.technical ?? lists.technical;
      lists.patient = found.patient ?? lists.patient;
    }
    return { alerts: told ? [...lists.patient, ...lists.technical] : undefined, mode };
  };

  const poll = (message: Poll): Told => {
    const clock = message.clock;
    if (message.objectClass === classes.mds) {
      const selves = message.objects.map(({ attributes }) => selfOf(attributes));
      const first = selves[0];
      return first ? { ...nothing, ...first, clock: first.clock ?? clock } : { ...nothing, clock };
    }
    if (message.objectClass === classes.alarms) {
      return { ...nothing, clock, ...alerts(message.objects.map(({ attributes }) => attributes)) };
    }
    if (message.objectClass === classes.wave) return { ...nothing, clock, waves: waves(message) };
    if (message.objectClass !== classes.numeric) return { ...nothing, clock };
    const found = numerics(message);
    const mode = found.find((each) => each.mode !== 'operating')?.mode;
    return { ...nothing, clock, numerics: found, mode };
  };

  return {
    take: (message) => {
      try {
        if (message.kind === 'poll') return poll(message);
        if (message.kind === 'create' || message.kind === 'connect-indication') {
          return { ...nothing, ...selfOf(message.attributes) };
        }
        return nothing;
      } catch (error) {
        if (error instanceof Malformed) return error.message;
        throw error;
      }
    },
  };
}

const forgottenAfter = 20;

/**
 * Two objects of one metric (two catheters with one label) must not share a series: the second gets its handle as
 * channel. An object that was unplugged gives its series back.
 */
function createOwners(): (numeric: Numeric, handle: number) => string | undefined {
  const owners = new Map<string, { handle: number; missed: number }>();
  return ({ series }, handle) => {
    const key = seriesKey(series.metric.refId, series.channel);
    const owner = owners.get(key);
    if (!owner || owner.handle === handle) {
      owners.set(key, { handle, missed: 0 });
      return series.channel;
    }
    owner.missed += 1;
    if (owner.missed < forgottenAfter) return `${series.channel ?? 'object'}-${handle.toString(16)}`;
    owners.set(key, { handle, missed: 0 });
    return series.channel;
  };
}

/** What makes one episodic value the same as another: the same object with the same measuring time. */
export const episodeOf = ({ handle, measuredAt, series, seen }: ToldNumeric): string =>
  measuredAt
    ? `${handle} ${series.metric.refId} ${asUtc(measuredAt)}`
    : `${handle} ${series.metric.refId} ${JSON.stringify(seen)}`;
