import { hash } from '@node-rs/argon2';
import { openPeople } from '../gateway/people/people.ts';
import type { Rows } from '../gateway/rows/rows.ts';
import type { Clock } from '../model/clock.ts';
import type { Chance } from '../model/ids.ts';
import type { Person } from '../model/person.ts';

/** Weak on purpose: 200 sign-ins are no part of what is measured. */
const cost = { memoryCost: 8, timeCost: 1, parallelism: 1 } as const;

/** So many nurses on shift, each with a handheld and an equal share of the beds. */
export async function dealBeds(
  parts: { rows: Rows; clock: Clock; chance: Chance },
  { count, beds, password }: { count: number; beds: number; password: string },
): Promise<void> {
  const { rows } = parts;
  const people = await openPeople({
    ...parts,
    audit: () => undefined,
    person: () => undefined,
    bed: () => undefined,
  });
  const stored = await hash(password, cost);
  for (let at = 0; at < count; at++) {
    const id = `nurse-${at}`;
    const nurse: Person = { id, user: id, name: id, roles: ['nurse'], wards: ['bench'] };
    await rows.put('people', { ...nurse, password: stored });
    people.shifts.begin(nurse, { handheld: `H-${at}`, wards: ['bench'] });
    for (const bed of bedsOf(at, count, beds)) people.assignments.take(nurse, { id: bed, ward: 'bench' });
  }
  people.close();
}

/** The beds of one nurse of so many. */
export const bedsOf = (nurse: number, count: number, beds: number): readonly string[] =>
  Array.from({ length: Math.ceil((beds - nurse) / count) }, (_, at) => `bed-${nurse + at * count}`);

/** Each from an address of its own, as behind the ward's access points. */
export async function signInNurses(
  httpUrl: string,
  { count, beds, password }: { count: number; beds: number; password: string },
): Promise<readonly { cookie: string; shift: string; beds: readonly string[] }[]> {
  const signedIn: { cookie: string; shift: string; beds: readonly string[] }[] = [];
  for (let at = 0; at < count; at++) {
    const headers = {
      'content-type': 'application/json',
      origin: httpUrl,
      'x-forwarded-for': `10.1.${Math.floor(at / 250)}.${1 + (at % 250)}`,
    };
    const answer = await fetch(`${httpUrl}/api/v1/session`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ user: `nurse-${at}`, password }),
    });
    const cookie = answer.headers.get('set-cookie')?.split(';')[0];
    if (!cookie) throw new Error(`sign-in was refused: ${answer.status} ${await answer.text()}`);
    signedIn.push({ cookie, shift: '', beds: bedsOf(at, count, beds) });
  }
  const shifts = await shiftsOf(httpUrl, signedIn[0]?.cookie ?? '');
  return signedIn.map((one, at) => ({ ...one, shift: shifts.get(`nurse-${at}`) ?? '' }));
}

async function shiftsOf(httpUrl: string, cookie: string): Promise<ReadonlyMap<string, string>> {
  const answer = await fetch(`${httpUrl}/api/v1/shifts?ward=bench&open=true&limit=1000`, {
    headers: { cookie },
  });
  const { items } = (await answer.json()) as { items: readonly { id: string; person: string }[] };
  return new Map(items.map(({ id, person }) => [person, id]));
}
