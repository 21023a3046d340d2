import type { Identity, Mode } from '../../model/device.ts';
import { asUtc, instantOf, type LocalTime } from '../../model/local-time.ts';
import type { Observation } from '../../model/observation.ts';
import type { DriverHost, Emitted } from '../driver.ts';
import { createAlerts } from '../transport/teller.ts';
import { episodeOf, type Told, type ToldNumeric } from './decoder.ts';
import { classes, type Poll } from './message.ts';

export interface Report {
  /** What the monitor says of itself, outside of a poll. */
  self(told: Told): void;
  /** One poll result. */
  poll(poll: Poll, told: Told): void;
}

/** Hands what was told to the host: with the instants of our clock, and episodic values once. */
export function createReport(host: DriverHost, device: string, timeZone: string | undefined): Report {
  /** The monitor's clock, read as if it stood in UTC, minus ours. */
  let clockDifferenceMs: number | undefined;
  let ticksOffsetMs: number | undefined;
  const alerts = createAlerts(host);
  let identity: Identity | undefined;
  const episodes = new Map<string, string>();
  const modes: { self?: Mode | undefined; data?: Mode | undefined; alarms?: Mode | undefined } = {};

  const sayMode = (): void => {
    const told = [modes.self, modes.data, modes.alarms].find((mode) => mode && mode !== 'operating');
    host.state(device, { mode: told ?? 'operating' });
  };

  const sawClock = (clock: LocalTime | undefined): void => {
    if (!clock) return;
    clockDifferenceMs = asUtc(clock) - host.clock.nowMs();
    if (timeZone !== undefined) host.state(device, { clockMs: instantOf(clock, timeZone) });
  };

  const self = (told: Told): void => {
    if (told.identity) {
      identity = { ...identity, ...told.identity };
      host.identity(device, identity);
    }
    sawClock(told.clock);
    if (told.mode) modes.self = told.mode;
    sayMode();
  };

  /** By difference to the monitor's own clock: right without a zone, and though the clock may be years off. */
  const measuredMs = (measuredAt: LocalTime): number | undefined => {
    if (clockDifferenceMs !== undefined) return asUtc(measuredAt) - clockDifferenceMs;
    return timeZone === undefined ? undefined : instantOf(measuredAt, timeZone);
  };

  const observation = (numeric: ToldNumeric, nowMs: number): Emitted[] => {
    const { series, seen, channel, measuredAt, validity, mark } = numeric;
    const base = { metric: series.metric.refId, ...(channel !== undefined && { channel }), ...seen };
    if (!series.metric.episodic && !measuredAt) {
      return [{ kind: 'observation', ...base, validity, ...(mark && { mark }), takenAtMs: nowMs } as Emitted];
    }
    const key = `${numeric.handle} ${base.metric}`;
    const episode = episodeOf(numeric);
    if (episodes.get(key) === episode) return [];
    episodes.set(key, episode);
    const instant = measuredAt && measuredMs(measuredAt);
    const takenAtMs = Math.min(instant ?? nowMs, nowMs);
    // A measuring time that cannot be placed on our clock: the value may be hours old.
    const unplaced = measuredAt && instant === undefined && validity === 'valid';
    const marked = unplaced
      ? ({ validity: 'questionable', mark: 'clock' } as const)
      : { validity, ...(mark && { mark }) };
    return [{ kind: 'observation', ...base, ...marked, takenAtMs } as Emitted];
  };

  /** Uptime ticks on our clock, by the fastest arrival: what comes late on the network is not later measured. */
  const ofTicks = (ticks: number, nowMs: number): number => {
    const offsetMs = nowMs - ticks / 8;
    const restarted = ticksOffsetMs === undefined || Math.abs(offsetMs - ticksOffsetMs) > 2_000;
    ticksOffsetMs = restarted ? offsetMs : Math.min(offsetMs, ticksOffsetMs ?? offsetMs);
    return ticks / 8 + ticksOffsetMs;
  };

  return {
    self,
    poll: (poll, told) => {
      const nowMs = host.clock.nowMs();
      if (poll.objectClass === classes.mds) return self(told);
      sawClock(told.clock);
      if (poll.objectClass === classes.numeric && poll.objects.length > 0) modes.data = told.mode;
      if (poll.objectClass === classes.alarms) modes.alarms = told.mode;
      sayMode();
      const endMs = ofTicks(poll.ticks, nowMs);
      const items: Emitted[] = [
        ...told.numerics.flatMap((numeric) => observation(numeric, nowMs)),
        ...told.waves.map(({ series, handle: _, ...block }): Emitted => {
          const lengthMs = (block.samples.length * block.periodUs) / 1_000;
          const takenAtMs = Math.round(endMs - lengthMs);
          return { kind: 'waveform', metric: series.metric.refId, ...block, takenAtMs };
        }),
        ...(told.alerts && !poll.more ? alerts(told.alerts) : []),
      ];
      if (items.length > 0) host.emit(device, items);
    },
  };
}

/** A numeric as `npm run decode` prints it: the measuring time only where the zone is known. */
export function decodedNumeric(
  numeric: ToldNumeric,
  zone: string | undefined,
): { kind: 'observation' } & Omit<Observation, 'takenAtMs'> & { takenAtMs?: number } {
  const { series, seen, channel, measuredAt, validity, mark } = numeric;
  return {
    kind: 'observation',
    metric: series.metric.refId,
    ...(channel !== undefined && { channel }),
    ...seen,
    validity,
    ...(mark && { mark }),
    ...(measuredAt && zone !== undefined && { takenAtMs: instantOf(measuredAt, zone) }),
  };
}
