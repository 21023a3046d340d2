import { frameOf } from './frames.ts';

/**
 * All that may be sent to the monitor: the link is opened, realtime data begins and ends, and somebody still listens.
 * None of them changes a limit, an alarm or a setting.
 */
export const operations = {
  enable: 1,
  disable: 2,
  startRealtime: 4,
  stopRealtime: 5,
  linkActive: 6,
} as const;
export type Operation = keyof typeof operations;

export const command = (operation: Operation): Buffer => frameOf(operations[operation]);
