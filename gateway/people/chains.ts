import { isZone } from '../../model/local-time.ts';
import type { PersonId, WardId } from '../../model/ids.ts';
import { defaultPatienceS, mostLevels, type Chain, type ChainTarget } from '../../model/people.ts';
import type { PeopleDesk, PeopleRows } from './desk.ts';
import { clockTime } from './quiet-hours.ts';

/** Patience in s that a ward may set, by priority. */
export const patienceRangeS = { high: [30, 120], medium: [60, 300], low: [120, 600] } as const;

export type ChainWish = Pick<Chain, 'levels' | 'patienceS' | 'quietHours'>;
export interface ChainRefusal {
  readonly path: string;
  readonly cause: string;
}

/** Whoever has the bed, then the charge nurse; after them the whole ward and the boards in any case. */
const defaultLevels: Chain['levels'] = [[{ assigned: true }], [{ role: 'charge-nurse' }]];

/** Each ward's chain of redirection. A chain is on disk before it counts. */
export class Chains {
  private readonly desk: PeopleDesk;
  private readonly rows: PeopleRows;
  private readonly byWard = new Map<WardId, Chain>();

  constructor(desk: PeopleDesk, rows: PeopleRows) {
    this.desk = desk;
    this.rows = rows;
  }

  async load(): Promise<void> {
    for (const { id, ...chain } of await this.rows.load('chains')) this.byWard.set(id, chain);
  }

  of(ward: WardId): Chain {
    return this.byWard.get(ward) ?? { ward, levels: defaultLevels, patienceS: defaultPatienceS };
  }

  async set(
    by: { readonly id: PersonId },
    ward: WardId,
    wish: ChainWish,
    knowsPerson: (person: PersonId) => boolean,
  ): Promise<Chain | { readonly refused: readonly ChainRefusal[] }> {
    const refused = refusals(wish, knowsPerson);
    if (refused.length > 0) return { refused };
    const before = this.of(ward);
    const chain: Chain = { ward, ...wish, setBy: by.id, setAtMs: this.desk.clock.nowMs() };
    await this.rows.put('chains', { id: ward, ...chain });
    this.byWard.set(ward, chain);
    this.desk.record({ by: by.id, act: 'set-chain', on: ward, outcome: 'done', ward, before, after: chain });
    this.desk.changed({ kind: 'chain', ward });
    return chain;
  }
}

function refusals(wish: ChainWish, knowsPerson: (person: PersonId) => boolean): readonly ChainRefusal[] {
  const found: ChainRefusal[] = [];
  const { levels, patienceS, quietHours } = wish;
  if (levels.length < 1 || levels.length > mostLevels)
    found.push({ path: '/levels', cause: `one to ${mostLevels} levels` });
  levels.forEach((targets, level) => {
    if (targets.length === 0) found.push({ path: `/levels/${level}`, cause: 'nobody is on this level' });
    targets.forEach((target, at) => {
      if (!isKnown(target, knowsPerson))
        found.push({ path: `/levels/${level}/${at}`, cause: 'nobody is known by this id' });
    });
  });
  for (const priority of ['high', 'medium', 'low'] as const) {
    const [least, most] = patienceRangeS[priority];
    if (patienceS[priority] < least || patienceS[priority] > most)
      found.push({ path: `/patienceS/${priority}`, cause: `${least} to ${most} s` });
  }
  if (quietHours && (clockTime(quietHours.from) === undefined || clockTime(quietHours.to) === undefined))
    found.push({ path: '/quietHours', cause: 'times are HH:MM' });
  if (quietHours && !isZone(quietHours.zone))
    found.push({ path: '/quietHours/zone', cause: 'this machine does not know the time zone' });
  return found;
}

const isKnown = (target: ChainTarget, knowsPerson: (person: PersonId) => boolean): boolean =>
  !('person' in target) || knowsPerson(target.person);
