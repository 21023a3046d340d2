import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ownHost, Registry } from '../../../gateway/devices/registry.ts';
import { openRows } from '../../../gateway/rows/rows.ts';
import { systemClock } from '../../../model/clock.ts';
import { systemChance } from '../../../model/ids.ts';
import type { Person } from '../../../model/person.ts';

const engineer: Person = { id: 'person-1', user: 'eng', name: 'Engineer', roles: ['biomed'], wards: 'all' };
const folder = mkdtempSync(join(tmpdir(), 'vigil-registry-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function open() {
  const rows = await openRows({ folder, clock: systemClock(), told: () => undefined });
  const audited: { act: string; on: string }[] = [];
  const changed: string[] = [];
  const registry = new Registry({
    rows,
    chance: systemChance(),
    wardExists: (ward) => ward === 'icu',
    hostExists: (host) => host === ownHost || host === 'host-far',
    later: (run) => void setTimeout(run, 0),
    inUse: (device) => device === 'busy',
    revoke: async () => undefined,
    audit: (entry) => void audited.push(entry),
    changed: (device) => void changed.push(device),
  });
  await registry.open();
  return { registry, rows, audited, changed };
}

describe('registered devices', () => {
  test('are checked against their driver, with every wrong setting named', async () => {
    const { registry, rows } = await open();
    expect(
      await registry.register(engineer, {
        label: 'X',
        ward: 'icu',
        driver: 'masimo',
        settings: { port: 'nowhere', extra: 1 },
      }),
    ).toMatchObject({
      refused: expect.arrayContaining([
        expect.objectContaining({ path: '/settings/port' }),
        expect.objectContaining({ path: '/settings/extra' }),
      ]),
    });
    expect(await registry.register(engineer, { label: 'X', ward: 'icu', driver: 'no-such' })).toMatchObject({
      refused: [{ path: '/settings' }],
    });
    expect(await registry.register(engineer, { label: 'X', ward: 'elsewhere' })).toBe('absent');
    await rows.close();
  });

  test('belong to their host at once, leave it at once, and are there again after a start', async () => {
    const { registry, rows, audited, changed } = await open();
    const rights = registry.devicesOf(ownHost);
    const made = await registry.register(engineer, {
      id: 'ox-1',
      label: 'Oximeter',
      ward: 'icu',
      driver: 'masimo',
      settings: { port: 'tcp://127.0.0.1:4001' },
    });
    expect(made).toMatchObject({ id: 'ox-1', host: ownHost, duty: 'in-use', periodMs: 1_000 });
    expect([...rights]).toEqual(['ox-1']);
    const twin = {
      id: 'ox-2',
      label: 'The same',
      ward: 'icu',
      driver: 'masimo',
      settings: { port: 'tcp://127.0.0.1:4001' },
    };
    expect(await registry.register(engineer, twin)).toMatchObject({
      refused: [{ path: '/settings', cause: expect.stringContaining('ox-1') }],
    });
    expect(await registry.register(engineer, { id: 'ox-1', label: 'Again', ward: 'icu' })).toBe('id-taken');
    await registry.change(engineer, 'ox-1', { host: 'host-far' });
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect([...rights]).toEqual([]);
    expect([...registry.devicesOf('host-far')]).toEqual(['ox-1']);
    expect(audited.map(({ act, on }) => [act, on])).toEqual([
      ['device.register', 'ox-1'],
      ['device.change', 'ox-1'],
    ]);
    expect(changed).toEqual(['ox-1', 'ox-1']);
    await rows.close();

    const again = await open();
    expect(again.registry.get('ox-1')).toMatchObject({ label: 'Oximeter', host: 'host-far' });
    expect([...again.registry.devicesOf('host-far')]).toEqual(['ox-1']);
    expect(await again.registry.remove(engineer, 'ox-1')).toBe('done');
    expect(await again.registry.remove(engineer, 'ox-1')).toBe('absent');
    await again.rows.close();
  });

  test('one at a patient is not removed; one without a driver needs no settings', async () => {
    const { registry, rows } = await open();
    expect(await registry.register(engineer, { id: 'busy', label: 'Wearable', ward: 'icu' })).toMatchObject({
      id: 'busy',
    });
    expect(await registry.remove(engineer, 'busy')).toBe('in-use');
    expect(await registry.register(engineer, { id: 'Not An Id', label: 'x', ward: 'icu' })).toMatchObject({
      refused: [{ path: '/id' }],
    });
    await rows.close();
  });
});
