import type { Waveform } from '../../model/observation.ts';

/** The wave port says one line of flow and pressure each 20 ms. */
const periodUs = 20_000;
/** Hundredths of L/min and of cmH2O: 16 bits hold more than the ventilator measures. */
const gain = 0.01;
const noSample = -32_768;
/** One second a block. */
const blockSamples = 50;

/** A wave that is not yet timed, and how long it is. */
export interface Wave extends Omit<Waveform, 'takenAtMs'> {
  readonly lengthMs: number;
}

export interface Waves {
  /** The waves a line completes; undefined for a line that is none of the wave port. */
  push(line: string): readonly Wave[] | undefined;
  rest(): readonly Wave[];
}

const sample = /^(-?\d{1,3}(?:\.\d+)?), *(-?\d{1,3}(?:\.\d+)?),?$/;

/** What does not fit into 16 bits is beyond what a ventilator measures: no sample. */
function scaled(text: string | undefined): number {
  const value = Math.round(Number(text) / gain);
  return Math.abs(value) <= 32_767 ? value : noSample;
}

/** `BS, S:n,` begins a breath, `BE` ends it; between stand flow (L/min) and pressure (cmH2O). */
export function createWaves(): Waves {
  let breathing = false;
  let flow: number[] = [];
  let pressure: number[] = [];

  const flush = (): Wave[] => {
    if (flow.length === 0) return [];
    const block = (metric: string, values: readonly number[]): Wave => ({
      metric,
      periodUs,
      gain,
      offset: 0,
      samples: Int16Array.from(values),
      lengthMs: (values.length * periodUs) / 1_000,
    });
    const waves = [block('airway-flow-wave', flow), block('airway-pressure-wave', pressure)];
    flow = [];
    pressure = [];
    return waves;
  };
  const add = (one: number, other: number): readonly Wave[] => {
    flow.push(one);
    pressure.push(other);
    return flow.length >= blockSamples ? flush() : [];
  };

  return {
    push: (line) => {
      const text = line.trim();
      if (/^BS, *S: *\d+ *,?$/.test(text)) {
        breathing = true;
        return flush();
      }
      if (/^BE,?$/.test(text)) {
        breathing = false;
        return flush();
      }
      if (!breathing) return undefined;
      const found = sample.exec(text);
      // A garbled line still took its 20 ms: the wave keeps its time, and has no sample there.
      if (!found) return text.startsWith('MISC') ? undefined : add(noSample, noSample);
      return add(scaled(found[1]), scaled(found[2]));
    },
    rest: flush,
  };
}
