import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { driverNames, loadDriver } from '../../drivers/index.ts';
import type { DecodeOptions } from '../../drivers/driver.ts';
import { systemClock } from '../../model/clock.ts';
import { seriesKey } from '../../model/observation.ts';

// Goal: no bytes make a codec throw, or tell a metric its driver has not declared.
// Way: every case of every driver, mutated, 100,000 times a driver.
const rounds = 100_000;
const cases = join(import.meta.dirname, '../cases');
const clock = systemClock();

interface Case {
  readonly bytes: Buffer;
  readonly known: DecodeOptions;
}

function casesOf(driver: string): Case[] {
  const folder = join(cases, driver);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => {
    const path = join(folder, name, 'options.json');
    const given = (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}) as Record<string, unknown>;
    const { map, request, ...rest } = given as { map?: string; request?: string };
    const known = {
      clock,
      ...rest,
      ...(map && {
        map: parse(readFileSync(new URL(`../../drivers/maps/${map}.yaml`, import.meta.url), 'utf8')),
      }),
      ...(request && { request: hex(request) }),
    } as DecodeOptions;
    return { bytes: hex(readFileSync(join(folder, name, 'frame.hex'), 'utf8')), known };
  });
}
const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

const change = fc.record({ at: fc.nat(2_000), byte: fc.nat(255), how: fc.constantFrom('set', 'cut', 'add') });
type Change = { readonly at: number; readonly byte: number; readonly how: string };

function mutate(bytes: Buffer, changes: readonly Change[]): Buffer {
  return changes.reduce((all, { at, byte, how }) => {
    const where = all.length === 0 ? 0 : at % all.length;
    const after = all.subarray(how === 'add' ? where : where + 1);
    return Buffer.concat([all.subarray(0, where), Buffer.from(how === 'cut' ? [] : [byte]), after]);
  }, bytes);
}

describe.each(driverNames.filter((name) => casesOf(name).length > 0))('%s', (name) => {
  test('survives mutated frames and tells only what it has declared', async () => {
    const driver = await loadDriver(name);
    const declared = new Set(driver?.metrics);
    const given = fc.tuple(
      fc.constantFrom(...casesOf(name)),
      fc.array(change, { minLength: 1, maxLength: 8 }),
    );
    fc.assert(
      fc.property(given, ([{ bytes, known }, changes]) => {
        for (const item of driver?.decode?.(mutate(bytes, changes), known) ?? []) {
          if (item.kind !== 'observation' || declared.has('*')) continue;
          const key = seriesKey(item.metric, item.channel);
          if (!declared.has(key) && !declared.has(item.metric)) expect(declared).toContain(key);
        }
      }),
      { numRuns: rounds, seed: 20261121 },
    );
  });
});
