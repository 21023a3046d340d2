import type { AlertsMessage, ObservationsMessage, WaveformMessage, WireValue } from '../../model/wire.ts';
import { seriesKey, type Observation, type Waveform } from '../../model/observation.ts';
import type { DeviceBranch } from '../../broker/topics.ts';
import type { Alert, Emitted } from '../driver.ts';

/** A contract message without boot and seq, which its sender adds, and the instant its age is counted from. */
export interface Draft {
  readonly branch: DeviceBranch;
  readonly takenAtMs: number;
  readonly body: Record<string, unknown>;
}

const mostValues = 256;
/** 16,384 samples are 43 kB of base64: well under what a packet may hold. */
const mostSamples = 16_384;

/**
 * Turns what a driver emitted in one tick into as few messages as the contract allows: a key stands once in a message,
 * so a second sample of a series opens another.
 */
export function draftMessages(items: readonly Emitted[], nowMs: number): Draft[] {
  const drafts: Draft[] = [];
  let open: Observation[] = [];
  let keys = new Set<string>();
  const close = (): void => {
    if (open.length > 0) drafts.push(draftObservations(open));
    open = [];
    keys = new Set();
  };
  for (const item of items) {
    switch (item.kind) {
      case 'observation': {
        const key = seriesKey(item.metric, item.channel);
        if (keys.has(key) || open.length >= mostValues) close();
        keys.add(key);
        open.push(item);
        break;
      }
      case 'waveform':
        drafts.push(...draftWaveform(item));
        break;
      case 'alerts':
        drafts.push(draftAlerts(item, nowMs));
        break;
      default:
        item satisfies never;
    }
  }
  close();
  return drafts;
}

/**
 * The newest measurement's instant is the message's; what was taken earlier (a cuff pressure) keeps its own. What is
 * missing has no instant of measurement: it is missing as of the message.
 */
function draftObservations(observations: readonly Observation[]): Draft {
  const measured = observations.filter((each) => !isMissing(each));
  const instants = (measured.length > 0 ? measured : observations).map((each) => each.takenAtMs);
  const takenAtMs = Math.max(...instants);
  const values = Object.fromEntries(
    observations.map((each) => [seriesKey(each.metric, each.channel), wireValue(each, takenAtMs)]),
  );
  const body: Omit<ObservationsMessage, 'boot' | 'seq'> = { takenAtMs, values };
  return { branch: 'observations', takenAtMs, body };
}

const isMissing = (seen: Observation): boolean => 'value' in seen && seen.value === null;

function wireValue(seen: Observation, messageAtMs: number): WireValue {
  const own = {
    ...(seen.unit !== undefined && { unit: seen.unit }),
    ...(seen.takenAtMs !== messageAtMs && !isMissing(seen) && { takenAtMs: seen.takenAtMs }),
  };
  if ('text' in seen) return { text: seen.text, ...marks(seen), ...own };
  if ('code' in seen) return { code: seen.code, system: seen.system, ...marks(seen), ...own };
  if (seen.value === null) return { value: null, reason: seen.reason, ...own };
  const plain = seen.validity === 'valid' && seen.mark === undefined && Object.keys(own).length === 0;
  return plain ? seen.value : { value: seen.value, ...marks(seen), ...own };
}

const marks = ({ validity, mark }: Observation): Pick<Exclude<WireValue, number>, 'validity' | 'reason'> => ({
  ...(validity !== 'valid' && { validity }),
  ...(mark !== undefined && { reason: mark }),
});

function draftWaveform({ samples, ...wave }: { readonly kind: 'waveform' } & Waveform): Draft[] {
  const { metric, channel, periodUs, gain, offset } = wave;
  const drafts: Draft[] = [];
  for (let from = 0; from < samples.length; from += mostSamples) {
    const part = samples.slice(from, from + mostSamples);
    const takenAtMs = wave.takenAtMs + (from * periodUs) / 1000;
    const body: Omit<WaveformMessage, 'boot' | 'seq'> = {
      metric,
      ...(channel !== undefined && { channel }),
      takenAtMs,
      periodUs,
      gain,
      offset,
      samples: littleEndian(part).toString('base64'),
    };
    drafts.push({ branch: 'waveforms', takenAtMs, body });
  }
  return drafts;
}

function littleEndian(samples: Int16Array): Buffer {
  const bytes = Buffer.alloc(samples.length * 2);
  samples.forEach((sample, index) => bytes.writeInt16LE(sample, index * 2));
  return bytes;
}

function draftAlerts({ alerts, complete }: Alert, nowMs: number): Draft {
  const body: Omit<AlertsMessage, 'boot' | 'seq'> = {
    takenAtMs: nowMs,
    alerts: alerts.map((alert) => ({ ...alert })),
    complete,
  };
  return { branch: 'alerts', takenAtMs: nowMs, body };
}
