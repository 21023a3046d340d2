import { expect, test } from 'vitest';
import { createIdentity, type PersonRow } from '../../../gateway/identity/identity.ts';
import { systemChance } from '../../../model/ids.ts';
import type { Role } from '../../../model/person.ts';
import { virtualClock } from '../../house/virtual-clock.ts';

const password = 'seven violet teapots';
const minute = 60_000;
const by = { id: 'admin' };

async function desk(kept: PersonRow[] = []) {
  const clock = virtualClock();
  const rows = {
    load: () => [...kept],
    put: async (_table: 'people', row: PersonRow) => void kept.push(row),
  };
  const identity = await createIdentity({ clock, chance: systemChance(), rows });
  const add = (user: string, roles: readonly Role[] = ['nurse']) =>
    identity.addPerson(by, { user, name: 'Lin', password, roles, wards: ['east'] });
  const signIn = (user: string, given = password, address = '10.0.0.1') =>
    identity.signIn({ user, password: given, address });
  return { clock, identity, kept, add, signIn };
}
const secretOf = (answer: unknown): string => (answer as { secret: string }).secret;

test('the first administrator is made once, with the token that was printed', async () => {
  const { identity } = await desk();
  const token = identity.setupToken ?? '';
  const request = { token, user: 'ann', name: 'Ann', password };
  expect(identity.setupOpen).toBe(true);
  expect(await identity.setup({ ...request, token: 'guess' })).toBe('token-wrong');
  expect(await identity.setup({ ...request, password: 'short' })).toBe('password-weak');
  expect(await identity.setup(request)).toMatchObject({ user: 'ann', roles: ['admin'], wards: 'all' });
  expect(await identity.setup({ ...request, user: 'eve' })).toBe('closed');
  expect(identity.setupOpen).toBe(false);
  expect(identity.setupToken).toBeUndefined();
});

test('two set-ups at once make one administrator', async () => {
  const { identity, kept } = await desk();
  const request = { token: identity.setupToken ?? '', name: 'Ann', password };
  const both = await Promise.all([
    identity.setup({ ...request, user: 'ann' }),
    identity.setup({ ...request, user: 'eve' }),
  ]);
  expect(both.filter((one) => one === 'closed')).toHaveLength(1);
  expect(kept).toHaveLength(1);
});

test('the token is good for fifteen minutes', async () => {
  const { clock, identity } = await desk();
  await clock.pass(15 * minute);
  const token = identity.setupToken ?? '';
  expect(await identity.setup({ token, user: 'ann', name: 'Ann', password })).toBe('token-expired');
});

test('what is kept of a password is Argon2id, and a restart knows the person', async () => {
  const first = await desk();
  await first.add('lin');
  expect(first.kept[0]?.password).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(JSON.stringify(first.identity.people())).not.toContain('argon2');
  const again = await desk(first.kept);
  expect(await again.signIn('LIN')).toMatchObject({ person: { user: 'lin' } });
  expect(await again.add('Lin')).toBe('user-taken');
});

test('five failures and the account rests ten minutes at that address, for the right password too', async () => {
  const { clock, add, signIn } = await desk();
  await add('lin');
  for (let n = 0; n < 5; n++) expect(await signIn('lin', 'wrong')).toBe('refused');
  expect(await signIn('lin')).toBe('locked');
  await clock.pass(9.9 * minute);
  expect(await signIn('lin')).toBe('locked');
  await clock.pass(0.2 * minute);
  expect(await signIn('lin')).toMatchObject({ person: { user: 'lin' } });
});

test('nobody can lock a nurse out from another address', async () => {
  const { add, signIn } = await desk();
  await add('lin');
  for (let n = 0; n < 6; n++) await signIn('lin', 'wrong', '10.9.9.9');
  expect(await signIn('lin', password, '10.0.0.1')).toMatchObject({ person: { user: 'lin' } });
});

test('an unknown user is refused and locked just as a known one', async () => {
  const { signIn } = await desk();
  for (let n = 0; n < 5; n++) expect(await signIn('nobody', 'wrong')).toBe('refused');
  expect(await signIn('nobody', 'wrong')).toBe('locked');
});

test('ten guesses sent at once count as ten', async () => {
  const { add, signIn } = await desk();
  await add('lin');
  const guesses = await Promise.all(
    [...Array(9).fill('wrong'), password].map((guess: string) => signIn('lin', guess)),
  );
  expect(guesses.filter((one) => one === 'refused')).toHaveLength(5);
  expect(guesses.at(-1)).toBe('locked');
});

test('an address that tries many accounts rests too', async () => {
  const { add, signIn } = await desk();
  await add('lin');
  for (let n = 0; n < 50; n++) await signIn(`user-${n}`, 'wrong', '10.9.9.9');
  expect(await signIn('lin', password, '10.9.9.9')).toBe('locked');
  expect(await signIn('lin', password, '10.0.0.1')).toMatchObject({ person: { user: 'lin' } });
}, 20_000);

test('an unknown user takes as long as a wrong password', async () => {
  const { add, signIn } = await desk();
  await add('lin');
  const measure = async (user: string) => {
    const times: number[] = [];
    for (let n = 0; n < 9; n++) {
      const began = performance.now();
      await signIn(user, 'wrong', `10.1.${user.length}.${n}`);
      times.push(performance.now() - began);
    }
    return times.toSorted((a, b) => a - b)[4] ?? 0;
  };
  await measure('warm');
  const [known, unknown] = [await measure('lin'), await measure('nobody')];
  expect(unknown / known).toBeGreaterThan(0.5);
  expect(unknown / known).toBeLessThan(2);
});

test('a session ends fifteen minutes after the last act, and twelve hours after sign-in', async () => {
  const { clock, identity, add, signIn } = await desk();
  await add('lin');
  const idle = secretOf(await signIn('lin'));
  await clock.pass(14 * minute);
  expect(identity.person(idle)).toMatchObject({ user: 'lin' });
  await clock.pass(15 * minute);
  expect(identity.person(idle)).toBeUndefined();

  const busy = secretOf(await signIn('lin'));
  for (let n = 0; n < 71; n++) {
    await clock.pass(10 * minute);
    expect(identity.person(busy)).toBeDefined();
  }
  await clock.pass(10 * minute);
  expect(identity.person(busy)).toBeUndefined();
});

test('a display stays signed in for days', async () => {
  const { clock, identity, add, signIn } = await desk();
  await add('board', ['display']);
  const board = secretOf(await signIn('board'));
  await clock.pass(72 * 60 * minute);
  expect(identity.person(board)).toMatchObject({ user: 'board' });
});

test('a session ends when signed out, and its secret is 256 bits', async () => {
  const { identity, add, signIn } = await desk();
  await add('lin');
  const secret = secretOf(await signIn('lin'));
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  identity.signOut(secret);
  expect(identity.person(secret)).toBeUndefined();
  expect(identity.person('x'.repeat(64))).toBeUndefined();
});

test('the twenty-first session of a person ends their oldest', async () => {
  const { identity, add, signIn } = await desk();
  await add('lin');
  const secrets: string[] = [];
  for (let n = 0; n < 21; n++) secrets.push(secretOf(await signIn('lin')));
  expect(identity.person(secrets[0] ?? '')).toBeUndefined();
  expect(identity.person(secrets[1] ?? '')).toBeDefined();
});
