import { findMetric } from '../../model/aliases.ts';
import { componentsOf } from '../../model/hl7/message.ts';
import { aboutOf, type Row } from './rows.ts';
import type { Vendor } from './settings.ts';

/** A sample array (OBX-2 NA) with what the rows behind it say of it; its first sample is at the group's time. */
export interface ReportedWave {
  readonly kind: 'waveform';
  readonly metric: string;
  readonly periodUs: number;
  readonly gain: number;
  readonly samples: Int16Array;
}
export type WaveOutcome =
  ReportedWave | { readonly kind: 'refused'; readonly cause: string; readonly about: string };

const invalidSample = 32_767;
const noSample = -32_768;
const mostSamples = 100_000;

export interface Waves {
  /** True when the row was a wave's or tells of one. */
  take(row: Row): boolean;
  /** The waves so far; the next rows begin anew. */
  end(): WaveOutcome[];
}

/** Collects sample arrays with their rate (MDC_ATTR_SAMP_RATE, Hz) and resolution (MDC_ATTR_NU_MSMT_RES). */
export function createWaves(vendor: Vendor): Waves {
  let open: { row: Row; rateHz?: number; gain?: number } | undefined;
  let done: WaveOutcome[] = [];

  const close = (): void => {
    if (open) done.push(waveOf(open, vendor));
    open = undefined;
  };

  return {
    take: (row) => {
      if (row.type === 'NA') {
        close();
        open = { row };
        return true;
      }
      const rate = /MDC_ATTR_SAMP_RATE/.test(row.code.refId);
      if (!open || !(rate || /MDC_ATTR_NU_MSMT_RES/.test(row.code.refId))) return false;
      const number = Number(row.raw);
      if (Number.isFinite(number) && number > 0)
        open = { ...open, ...(rate ? { rateHz: number } : { gain: number }) };
      return true;
    },
    end: () => {
      close();
      const found = done;
      done = [];
      return found;
    },
  };
}

function waveOf(
  { row, rateHz, gain = 1 }: { row: Row; rateHz?: number; gain?: number },
  vendor: Vendor,
): WaveOutcome {
  const { code, refId, system } = row.code;
  const about = aboutOf(row);
  const metric = findMetric({ vendor, code, refId, system: system === '' ? 'MDC' : system });
  if (!metric) return { kind: 'refused', cause: 'a wave that Vigil does not know', about };
  if (rateHz === undefined) return { kind: 'refused', cause: 'a wave without its sample rate', about };
  const texts = componentsOf(row.raw, row.delimiters);
  if (texts.length > mostSamples) return { kind: 'refused', cause: 'too many samples', about };
  const samples = Int16Array.from(texts, sampleOf);
  return { kind: 'waveform', metric: metric.refId, periodUs: Math.round(1_000_000 / rateHz), gain, samples };
}

/** What is empty, no number or beyond 16 bits is no sample. */
function sampleOf(text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  const usable = Number.isInteger(number) && Math.abs(number) < invalidSample;
  return usable ? number : noSample;
}
