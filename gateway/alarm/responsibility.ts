import type { Responsibility } from '../../model/alarm.ts';
import type { Table } from './presence.ts';

export const responsibilities = ['undefined', 'accepted', 'rejected'] as const;

// One axis of CLINICAL 4: who goes. `timeOver`: the patience of an acceptance, still present and nobody acknowledged.
// `passedOn`: the router rings at somebody else. `realarmed`: an acknowledgement or a pause is over.
export const responsibilityEvents = [
  'accept',
  'reject',
  'timeOver',
  'passedOn',
  'realarmed',
  'escalated',
  'raised',
] as const;
export type ResponsibilityEvent = (typeof responsibilityEvents)[number];
/** `wait`: handhelds are quiet for the patience of the accepter. `passOn`: the router is to move on. */
export type ResponsibilityEffect = 'wait' | 'ring' | 'passOn';

const again = ['undefined', 'ring'] as const;

/** Who is responsible for one alarm. Accepting ends a rejection and the other way round. */
export const responsibility: Table<Responsibility, ResponsibilityEvent, ResponsibilityEffect> = {
  undefined: { accept: ['accepted', 'wait'], reject: ['rejected', 'passOn'] },
  accepted: {
    accept: ['accepted', 'wait'],
    reject: ['rejected', 'ring', 'passOn'],
    timeOver: ['undefined', 'ring', 'passOn'],
    passedOn: again,
    realarmed: again,
    escalated: again,
    raised: again,
  },
  rejected: {
    accept: ['accepted', 'wait'],
    reject: ['rejected', 'passOn'],
    passedOn: ['undefined'],
    realarmed: ['undefined'],
    escalated: ['undefined'],
    raised: ['undefined'],
  },
};
