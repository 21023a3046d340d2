import { signal } from '@preact/signals';
import type { Priority } from '../../model/alarm.ts';
import { after } from './clock.ts';

/**
 * Alarm bursts after IEC 60601-1-8 (general knowledge of its table of bursts): high ten short pulses in two groups of
 * five, medium three, low two slower ones; each pulse a fundamental with its harmonics, so that it is found by ear.
 */
interface Burst {
  readonly pulsesAtS: readonly number[];
  readonly pulseS: number;
  readonly everyS: number;
  readonly hertz: number;
}
const bursts: Readonly<Record<Priority, Burst>> = {
  high: {
    pulsesAtS: [0, 0.2, 0.4, 0.75, 0.95, 1.9, 2.1, 2.3, 2.65, 2.85],
    pulseS: 0.12,
    everyS: 5,
    hertz: 660,
  },
  medium: { pulsesAtS: [0, 0.4, 0.8], pulseS: 0.2, everyS: 7.5, hertz: 520 },
  low: { pulsesAtS: [0, 0.5], pulseS: 0.22, everyS: 20, hertz: 440 },
};

/** Whether this page can be heard: browsers let a page sound only after a touch. */
export const audible = signal(false);
/** What is being sounded now; nothing while the page may not sound. */
export const sounding = signal<Priority | undefined>(undefined);

let context: AudioContext | undefined;
let wanted: Priority | undefined;
let stop: (() => void) | undefined;

/** Called from a touch: starts the audio, and keeps saying whether it runs. */
export async function allowSound(): Promise<void> {
  if (!context) {
    context = new AudioContext();
    context.onstatechange = follow;
  }
  await context.resume();
  follow();
}

/** Sounds the bursts of one priority until told otherwise. */
export function ring(priority: Priority | undefined): void {
  if (priority === wanted) return;
  wanted = priority;
  restart();
}

/** The system may take the audio away and give it back (a call, another program): the bursts begin again then. */
function follow(): void {
  const runs = context?.state === 'running';
  if (runs === audible.value) return;
  audible.value = runs;
  restart();
}

function restart(): void {
  stop?.();
  stop = undefined;
  sounding.value = audible.value ? wanted : undefined;
  burst();
}

function burst(): void {
  if (!context || sounding.value === undefined) return;
  const one = bursts[sounding.value];
  for (const atS of one.pulsesAtS) pulse(context, context.currentTime + atS, one);
  stop = after(one.everyS * 1_000, burst);
}

/** The fundamental and three harmonics, with their loudness. */
const partials = [
  [1, 0.3],
  [2, 0.15],
  [3, 0.1],
  [4, 0.06],
] as const;
const riseS = 0.02;
const fallS = 0.03;

function pulse(audio: AudioContext, atS: number, { hertz, pulseS }: Burst): void {
  for (const [harmonic, loudness] of partials) {
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    tone.frequency.value = hertz * harmonic;
    gain.gain.setValueAtTime(0, atS);
    gain.gain.linearRampToValueAtTime(loudness, atS + riseS);
    gain.gain.setValueAtTime(loudness, atS + pulseS - fallS);
    gain.gain.linearRampToValueAtTime(0, atS + pulseS);
    tone.connect(gain).connect(audio.destination);
    tone.start(atS);
    tone.stop(atS + pulseS);
  }
}
