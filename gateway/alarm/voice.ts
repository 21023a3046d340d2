import { priorities, type AlarmSource, type Inactivation, type Priority } from '../../model/alarm.ts';

/** One alert of a device that is active now, as it counts for an alarm. */
export interface Voice {
  readonly source: AlarmSource;
  readonly onsetAtMs: number;
  readonly latching: boolean;
  readonly metric?: string;
}

/** What was done at the bedside, when it was done to all that the devices say; else undefined. */
export const bedsideOf = (voices: readonly Voice[]): Inactivation | undefined =>
  bedsideIn(voices.map(({ source }) => source));

/** The same of an alarm's sources. */
export function bedsideIn(sources: readonly AlarmSource[]): Inactivation | undefined {
  const said = sources.filter((source) => source.by === 'device');
  return said.every((source) => source.inactivation !== undefined) ? said[0]?.inactivation : undefined;
}

export const highest = (all: readonly Priority[]): Priority =>
  priorities[Math.max(0, ...all.map((one) => priorities.indexOf(one)))] ?? 'low';
