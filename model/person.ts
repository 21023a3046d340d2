import type { PersonId, WardId } from './ids.ts';

export const roles = [
  'nurse',
  'charge-nurse',
  'physician',
  'biomed',
  'platform',
  'display',
  'admin',
  'auditor',
] as const;
export type Role = (typeof roles)[number];

export interface Person {
  readonly id: PersonId;
  /** What is typed at sign-in. */
  readonly user: string;
  readonly name: string;
  readonly roles: readonly Role[];
  /** Rights are by role and ward. */
  readonly wards: readonly WardId[] | 'all';
}
