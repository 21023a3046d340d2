import type { DeviceId, EncounterId } from './ids.ts';

/**
 * What people chart by hand is kept like a device's values: each stay has a source of its own, so that a value belongs
 * to the stay it was charted for whatever happens to beds, devices and associations.
 */
const prefix = 'charted-';

export const chartedSource = (encounter: EncounterId): DeviceId => `${prefix}${encounter}`;

/** The stay a source of charted values is of; undefined for a device. */
export const chartedFor = (device: DeviceId): EncounterId | undefined =>
  device.startsWith(prefix) ? device.slice(prefix.length) : undefined;

export const isCharted = (device: DeviceId): boolean => device.startsWith(prefix);

/** Marks the channel of a device's value that a person confirmed into the record, as it was. */
export const confirmedChannel = (channel: string | undefined): string =>
  channel === undefined ? 'confirmed' : `${channel}-confirmed`;

/** Who charted: the boot id of a charted value begins with the person's id. */
export const charterOf = (boot: string): string => boot.split(':', 1)[0] ?? boot;
export const chartedBoot = (person: string, run: string): string => `${person}:${run}`;

/** How long before the admission in the books a value may have been taken: the ward is quicker than the HIS. */
export const beforeAdmissionMs = 3_600_000;
