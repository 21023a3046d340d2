import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { printable } from '../../cli/decoded.ts';
import type { DecodeOptions } from '../../drivers/driver.ts';
import { loadDriver } from '../../drivers/index.ts';
import { systemClock } from '../../model/clock.ts';

/**
 * A case is a folder: `frame.hex` the bytes, `expected.json` what `npm run decode` prints of them and why it refuses
 * the rest, `options.json` what must be known beside them. Adding one needs no TypeScript.
 */
interface Expected {
  readonly lines: readonly unknown[];
  /** A part of each reason, in order. */
  readonly refused?: readonly string[];
}
interface Options {
  readonly map?: string;
  readonly request?: string;
  readonly characteristic?: string;
  readonly settings?: Record<string, unknown>;
}

const here = import.meta.dirname;
const folders = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

for (const driverName of folders(here)) {
  describe(driverName, () => {
    for (const name of folders(join(here, driverName))) {
      test(name, async () => {
        const folder = join(here, driverName, name);
        const options = (
          existsSync(join(folder, 'options.json')) ? readJson(join(folder, 'options.json')) : {}
        ) as Options;
        const expected = readJson(join(folder, 'expected.json')) as Expected;
        const driver = await loadDriver(driverName);
        const map = options.map && new URL(`../../drivers/maps/${options.map}.yaml`, import.meta.url);
        const known: DecodeOptions = {
          clock: systemClock(),
          ...(map && { map: parse(readFileSync(map, 'utf8')) as unknown }),
          ...(options.request && { request: hex(options.request) }),
          ...(options.characteristic && { characteristic: options.characteristic }),
          ...(options.settings && { settings: options.settings }),
        };
        const items = driver?.decode?.(hex(readFileSync(join(folder, 'frame.hex'), 'utf8')), known) ?? [];
        const lines = items.flatMap((item) => (item.kind === 'refused' ? [] : [printable(item)]));
        const causes = items.flatMap((item) => (item.kind === 'refused' ? [item.cause] : []));
        expect(lines).toEqual(expected.lines);
        expect(causes).toHaveLength(expected.refused?.length ?? 0);
        for (const [index, part] of (expected.refused ?? []).entries()) expect(causes[index]).toContain(part);
      });
    }
  });
}
