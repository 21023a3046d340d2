import { randomBytes, randomInt } from 'node:crypto';
import Type from 'typebox';

/** Ids of devices, hosts, wards, beds …: what may stand in a topic and in a path (DESIGN section 5). */
export const idPattern = /^[a-z0-9-]{1,64}$/;
export const isId = (text: unknown): text is string => typeof text === 'string' && idPattern.test(text);

export const IdSchema = Type.String({ pattern: '^[a-z0-9-]{1,64}$' });

export type DeviceId = string;
export type HostId = string;
export type WardId = string;
export type BedId = string;
export type EncounterId = string;
export type PatientId = string;
export type PersonId = string;
export type AlarmId = string;

/** Where ids and secrets come from; handed in, so a test can make them repeat. */
export interface Chance {
  /** `prefix-` and 16 hex digits (64 random bits). */
  id(prefix: string): string;
  /** `bits` random bits as lower-case hex. */
  hex(bits: number): string;
  /** A number in [0, 1), for jitter. */
  fraction(): number;
}

export const systemChance = (): Chance => ({
  id: (prefix) => `${prefix}-${randomBytes(8).toString('hex')}`,
  hex: (bits) => randomBytes(bits / 8).toString('hex'),
  fraction: () => randomInt(2 ** 32) / 2 ** 32,
});
