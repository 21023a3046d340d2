import type { Clock } from '../../model/clock.ts';
import type { Chance, PersonId, WardId } from '../../model/ids.ts';
import type { Person, Role } from '../../model/person.ts';
import { createAttempts } from './attempts.ts';
import { isWeak } from './password-rules.ts';
import { createPasswords, type Passwords } from './passwords.ts';
import { createSessions } from './sessions.ts';
import { createSetupToken } from './setup-token.ts';

/** What is kept of a person. */
export interface PersonRow extends Person {
  /** Argon2id in its PHC form. */
  readonly password: string;
}
export interface PeopleRows {
  load(table: 'people'): Promise<readonly unknown[]> | readonly unknown[];
  put(table: 'people', row: PersonRow): Promise<void>;
}

export interface NewPerson {
  readonly user: string;
  readonly name: string;
  readonly password: string;
  readonly roles: readonly Role[];
  readonly wards: readonly WardId[] | 'all';
}

export interface Identity {
  /** True until the first admin was made. */
  readonly setupOpen: boolean;
  /** For main to print at the first start; undefined once there is an admin. */
  readonly setupToken: string | undefined;
  setup(request: {
    token: string;
    user: string;
    name: string;
    password: string;
  }): Promise<Person | 'closed' | 'token-wrong' | 'token-expired' | 'password-weak'>;
  /** 'refused' takes the same time for an unknown user as for a wrong password. */
  signIn(request: {
    user: string;
    password: string;
    address: string;
  }): Promise<{ secret: string; person: Person } | 'refused' | 'locked'>;
  /** Counts as activity. */
  person(secret: string): Person | undefined;
  signOut(secret: string): void;
  people(): readonly Person[];
  byId(id: PersonId): Person | undefined;
  addPerson(
    by: { readonly id: PersonId },
    person: NewPerson,
  ): Promise<Person | 'user-taken' | 'password-weak'>;
}

export interface IdentityHouse {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly rows: PeopleRows;
  /** A test of other things may hand in a quicker one. */
  readonly passwords?: Passwords;
}

/** People, their sign-in and their sessions. Everything is answered from memory; a new person is on disk first. */
export async function createIdentity(house: IdentityHouse): Promise<Identity> {
  const { clock, chance, rows } = house;
  const passwords = house.passwords ?? createPasswords();
  const attempts = createAttempts(clock);
  const sessions = createSessions(clock, chance);
  const people = new Map<PersonId, PersonRow>();
  const byUser = new Map<string, PersonRow>();
  /** Users whose rows are on their way to disk: two requests for one name must not both pass. */
  const coming = new Set<string>();
  const hold = (row: PersonRow): void => {
    people.set(row.id, row);
    byUser.set(fold(row.user), row);
  };
  for (const row of (await rows.load('people')) as readonly PersonRow[]) hold(row);

  const hasAdmin = (): boolean => [...people.values()].some((row) => row.roles.includes('admin'));
  const token = hasAdmin() ? undefined : createSetupToken(clock, chance);

  const add = async (person: NewPerson): Promise<Person | 'user-taken' | 'password-weak'> => {
    const user = fold(person.user);
    if (byUser.has(user) || coming.has(user)) return 'user-taken';
    if (isWeak(person.password, [person.user, person.name])) return 'password-weak';
    coming.add(user);
    try {
      const { user: shown, name, roles, wards } = person;
      const password = await passwords.hash(person.password.normalize('NFKC'));
      const row: PersonRow = { id: chance.id('person'), user: shown, name, roles, wards, password };
      await rows.put('people', row);
      hold(row);
      return withoutPassword(row);
    } finally {
      coming.delete(user);
    }
  };

  const found = (id: PersonId | undefined): Person | undefined => {
    const row = id === undefined ? undefined : people.get(id);
    return row && withoutPassword(row);
  };

  return {
    get setupOpen() {
      return !hasAdmin();
    },
    get setupToken() {
      return hasAdmin() ? undefined : token?.text;
    },
    async setup({ token: given, ...person }) {
      if (!token || hasAdmin() || coming.size > 0) return 'closed';
      const fits = token.check(given);
      if (fits !== 'fits') return fits;
      const made = await add({ ...person, roles: ['admin'], wards: 'all' });
      return made === 'user-taken' ? 'closed' : made;
    },
    async signIn({ user, password, address }) {
      if (attempts.locked(user, address)) return 'locked';
      const row = byUser.get(fold(user));
      const fits = await passwords.fits(row?.password, password.normalize('NFKC'));
      if (fits === 'busy') return 'locked';
      // Attempts sent all at once were let in together; the ones past the fifth failure are refused here.
      if (attempts.locked(user, address)) return 'locked';
      if (!fits || !row) {
        attempts.failed(user, address);
        return 'refused';
      }
      attempts.succeeded(user, address);
      const lasting = row.roles.every((role) => role === 'display');
      return { secret: sessions.begin(row.id, lasting), person: withoutPassword(row) };
    },
    person: (secret) => found(sessions.touch(secret)),
    signOut: (secret) => sessions.end(secret),
    people: () => [...people.values()].map(withoutPassword),
    byId: (id) => found(id),
    addPerson: (_by, person) => add(person),
  };
}

const fold = (user: string): string => user.normalize('NFKC').toLowerCase();

const withoutPassword = ({ id, user, name, roles, wards }: PersonRow): Person => ({
  id,
  user,
  name,
  roles,
  wards,
});
