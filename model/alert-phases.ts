import type { AlertState } from './alarm.ts';

/** Remembers which alerts of a device are active, so that each report says start, continue or end of each. */
export interface AlertPhases {
  /** The whole list now active; undefined when there is and was nothing to tell. */
  next(active: readonly AlertState[]): readonly AlertState[] | undefined;
}

export function createAlertPhases(): AlertPhases {
  let known = new Map<string, AlertState>();
  return {
    next: (active) => {
      const now = new Map(active.map((alert) => [alert.alertId, alert]));
      const told = [...now.values()].map((alert): AlertState => ({
        ...alert,
        phase: known.has(alert.alertId) ? 'continue' : 'start',
      }));
      const ended = [...known.values()].filter(({ alertId }) => !now.has(alertId));
      known = now;
      const all = [...told, ...ended.map((alert): AlertState => ({ ...alert, phase: 'end' }))];
      return all.length > 0 ? all : undefined;
    },
  };
}
