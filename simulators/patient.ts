import type { Cancel, Clock } from '../model/clock.ts';
import { patientAt, type Patient, type Recording, type ReplayOptions } from './recording.ts';

/** Who lies at a simulated device now. */
export type PatientSource = () => Patient;

/** Lays a recorded patient into a bed: the recording starts (at its offset) when this is called. */
export function playPatient(
  recording: Recording,
  options: ReplayOptions & { readonly clock: Clock },
): PatientSource {
  const startMs = options.clock.monotonicMs();
  return () => patientAt(recording, options.clock.monotonicMs() - startMs, options);
}

/** Runs `run` now and then each `periodMs`. */
export function atOnceAndEvery(clock: Clock, periodMs: number, run: () => void): Cancel {
  run();
  return clock.every(periodMs, run);
}
