import { expect, test } from 'vitest';
import { createCredentials, type CredentialRow } from '../../../gateway/identity/credentials.ts';
import { systemChance } from '../../../model/ids.ts';
import { virtualClock } from '../../house/virtual-clock.ts';

async function drawer(kept = new Map<string, CredentialRow>()) {
  const credentials = await createCredentials({
    clock: virtualClock(),
    chance: systemChance(),
    rows: {
      load: () => [...kept.values()],
      put: async (_table, row) => void kept.set(row.id, row),
      remove: async (_table, id) => void kept.delete(id),
    },
  });
  return { credentials, kept };
}

test('a device signs in with its own secret, only with that, and only under its own id', async () => {
  const { credentials } = await drawer();
  const { clientId, username, password } = await credentials.make('device-1');
  const other = await credentials.make('device-2');
  expect([clientId, username]).toEqual(['device-1', 'device-1']);
  expect(password).toMatch(/^[0-9a-f]{64}$/);
  expect(credentials.authenticate('device-1', password)).toBe(true);
  expect(credentials.authenticate('device-1', other.password)).toBe(false);
  expect(credentials.authenticate('device-2', password)).toBe(false);
  for (const wrong of ['', 'x', `${password} `, password.toUpperCase(), 'x'.repeat(300)])
    expect(credentials.authenticate('device-1', wrong)).toBe(false);
  expect(credentials.authenticate('nobody', password)).toBe(false);
  expect(credentials.authenticate('__proto__', password)).toBe(false);
});

test('a new secret ends the old one; a revoked device has none', async () => {
  const { credentials } = await drawer();
  const old = await credentials.make('device-1');
  const now = await credentials.make('device-1');
  expect(credentials.authenticate('device-1', old.password)).toBe(false);
  expect(credentials.authenticate('device-1', now.password)).toBe(true);
  await credentials.revoke('device-1');
  expect(credentials.authenticate('device-1', now.password)).toBe(false);
  expect(credentials.has('device-1')).toBe(false);
});

test('only a digest is kept, and a restart knows it', async () => {
  const first = await drawer();
  const { password } = await first.credentials.make('device-1');
  expect(JSON.stringify([...first.kept])).not.toContain(password);
  const again = await drawer(first.kept);
  expect(again.credentials.authenticate('device-1', password)).toBe(true);
});

test('a secret that could not be written does not count', async () => {
  const credentials = await createCredentials({
    clock: virtualClock(),
    chance: systemChance(),
    rows: {
      load: () => [],
      put: async () => Promise.reject(new Error('disk')),
      remove: async () => undefined,
    },
  });
  await expect(credentials.make('device-1')).rejects.toThrow('disk');
  expect(credentials.has('device-1')).toBe(false);
});
