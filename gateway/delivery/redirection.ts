import { step, type Table } from '../alarm/presence.ts';
import type { Reach } from '../people/people.ts';

export const redirections = ['resting', 'passing', 'everybody'] as const;
export type Redirection = (typeof redirections)[number];

// Where one alarm stands in its chain (CLINICAL 8). `rang`: it was raised, or rings again after an acknowledgement or a
// pause. `rose`: a rise of priority. `quieted`: acknowledged, accepted, paused or off. `gone`: latched, its condition is
// over: it reminds and is never passed on. `passOn`: patience is over, all have rejected, nobody of the level can ring,
// or the one who accepted did not come; `exhausted`: the same on the last level. `handed`: by hand.
export const redirectionEvents = [
  'rang',
  'rose',
  'quieted',
  'gone',
  'passOn',
  'exhausted',
  'handed',
] as const;
export type RedirectionEvent = (typeof redirectionEvents)[number];
export type RedirectionEffect =
  'startChain' | 'startAgain' | 'nextLevel' | 'ringEverybody' | 'ringNamed' | 'rest';

/** Redirection of one alarm; `docs/alarms.md` is printed from it. An unlisted pair means "nothing happens". */
export const redirection: Table<Redirection, RedirectionEvent, RedirectionEffect> = {
  resting: {
    rang: ['passing', 'startChain'],
    rose: ['passing', 'startChain'],
    passOn: ['passing', 'nextLevel'],
    exhausted: ['everybody', 'ringEverybody'],
    handed: ['passing', 'ringNamed'],
  },
  passing: {
    rose: ['passing', 'startChain'],
    quieted: ['resting', 'rest'],
    gone: ['resting', 'rest'],
    passOn: ['passing', 'nextLevel'],
    exhausted: ['everybody', 'ringEverybody'],
    handed: ['passing', 'ringNamed'],
  },
  everybody: {
    quieted: ['resting', 'rest'],
    gone: ['resting', 'rest'],
    passOn: ['passing', 'startAgain'],
    exhausted: ['passing', 'startAgain'],
    handed: ['passing', 'ringNamed'],
  },
};

/** Where one alarm's redirection has come to. Level and round count from 1; the level behind the last is everybody. */
export interface Passing {
  readonly state: Redirection;
  readonly level: number;
  readonly round: number;
  /** By hand: it rings at them whatever the level. */
  readonly named: readonly string[];
  readonly rejectedBy: readonly string[];
  /** Since when this level rings, and when its patience is over: monotonic ms. */
  readonly sinceMs: number;
  readonly dueMs: number | undefined;
}

export const notPassing: Passing = {
  state: 'resting',
  level: 0,
  round: 1,
  named: [],
  rejectedBy: [],
  sinceMs: 0,
  dueMs: undefined,
};

/** What the logic must know of the people at this instant. */
export interface Standing {
  readonly reach: Pick<Reach, 'levels' | 'everybody'>;
  /** It rings there, or it was sent a moment ago and may still. */
  readonly alive: (person: string) => boolean;
  readonly boardAlive: boolean;
  readonly patienceMs: number;
  readonly nowMs: number;
}

/** One event, and at once every further level of which nobody can ring. */
export function move(passing: Passing, event: RedirectionEvent, standing: Standing, to?: string): Passing {
  let now = moveOnce(passing, event, standing, to);
  if (now === passing) return passing;
  while (now.state === 'passing' && !answerable(now, standing)) now = moveOnce(now, 'passOn', standing);
  return now;
}

function moveOnce(passing: Passing, event: RedirectionEvent, standing: Standing, to?: string): Passing {
  const last = passing.level >= standing.reach.levels.length;
  const asked = event === 'passOn' && last ? 'exhausted' : event;
  const [state, effect] = step(redirection, passing.state, asked);
  if (effect === undefined) return passing;
  const begun = { state, sinceMs: standing.nowMs, dueMs: standing.nowMs + standing.patienceMs };
  switch (effect) {
    case 'startChain':
      return { ...begun, level: 1, round: 1, named: [], rejectedBy: [] };
    case 'startAgain':
      return { ...begun, level: 1, round: passing.round + 1, named: [], rejectedBy: [] };
    case 'nextLevel':
      return { ...passing, ...begun, level: passing.level + 1, named: [] };
    case 'ringEverybody':
      return { ...passing, ...begun, level: standing.reach.levels.length + 1, named: [] };
    case 'ringNamed':
      return { ...passing, ...begun, level: Math.max(1, passing.level), named: to === undefined ? [] : [to] };
    case 'rest':
      return { ...passing, state, dueMs: undefined };
    default:
      return effect satisfies never;
  }
}

/** Whether somebody of this level, who has not rejected it, can ring. */
export function answerable({ state, level, named, rejectedBy }: Passing, standing: Standing): boolean {
  if (state !== 'passing') return true;
  if (named.length > 0) return named.some((person) => !rejectedBy.includes(person) && standing.alive(person));
  const on = standing.reach.levels[level - 1];
  if (!on) return false;
  if (on.board && standing.boardAlive) return true;
  return on.persons.some((person) => !rejectedBy.includes(person) && standing.alive(person));
}

/** Who rings, and whether the boards do. */
export interface Ringing {
  readonly persons: readonly string[];
  readonly boards: boolean;
  readonly outlets: readonly string[];
}

/**
 * Those of all levels so far, without who has rejected it; from the first time through the chain on, everybody. Boards
 * sound for a high alarm that nobody of the first level answered, and where no handheld of the bed can ring.
 */
export function ringing(passing: Passing, high: boolean, standing: Standing): Ringing {
  const { state, level, round, named, rejectedBy } = passing;
  if (state === 'resting') return { persons: [], boards: false, outlets: [] };
  const { levels, everybody } = standing.reach;
  const whole = state === 'everybody' || round > 1;
  const reached = whole ? levels : levels.slice(0, level);
  const persons = new Set([...named, ...reached.flatMap((one) => one.persons), ...(whole ? everybody : [])]);
  if (!whole) for (const person of rejectedBy) if (!named.includes(person)) persons.delete(person);
  const first = levels[0]?.persons ?? [];
  const boards =
    whole ||
    reached.some((one) => one.board) ||
    (high && level > 1) ||
    !first.some((person) => standing.alive(person));
  return { persons: [...persons], boards, outlets: reached.flatMap((one) => one.outlets) };
}
