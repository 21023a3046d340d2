import type { Clock } from '../../../model/clock.ts';
import { chartedSource } from '../../../model/charted.ts';
import type { DeviceId } from '../../../model/ids.ts';
import type { Census } from '../../census/census.ts';
import type { LiveSeries } from '../../intake/types.ts';
import type { Alarms } from '../engine.ts';
import { loadCharts } from './chart.ts';
import { LiveScores, type ScoreHouse, type ScoreRows } from './live-scores.ts';

export interface ScoreRooms {
  readonly clock: Clock;
  readonly rows: ScoreRows;
  readonly census: Census;
  readonly alarms: Alarms;
  readonly seriesOf: (device: DeviceId) => Iterable<LiveSeries>;
  readonly audit: ScoreHouse['audit'];
  readonly settings: {
    readonly charts: string;
    readonly scoreAgeContinuousS: number;
    readonly scoreAgeEpisodicS: number;
  };
}

/** Opens the scores; throws CHART_INVALID for a chart of the hospital that cannot be used. */
export async function openScores(rooms: ScoreRooms): Promise<LiveScores> {
  const { clock, rows, census, alarms, seriesOf, audit, settings } = rooms;
  const scores = new LiveScores({
    clock,
    rows,
    charts: loadCharts(settings.charts),
    ages: {
      continuousMs: settings.scoreAgeContinuousS * 1_000,
      episodicMs: settings.scoreAgeEpisodicS * 1_000,
    },
    openAssociations: () => census.associations({ open: true }),
    encounter: (id) => census.encounter(id),
    patient: (id) => census.patient(id),
    seriesOf,
    chartedSource,
    audit,
    confirmed: (encounter, score, set) => alarms.scoreConfirmed(encounter, score, set),
  });
  await scores.load();
  return scores;
}
