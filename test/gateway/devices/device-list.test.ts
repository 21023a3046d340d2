import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { exportCsv, importCsv, type ImportReport } from '../../../gateway/devices/device-list.ts';
import { ownHost, Registry } from '../../../gateway/devices/registry.ts';
import { openRows } from '../../../gateway/rows/rows.ts';
import { systemClock } from '../../../model/clock.ts';
import { parseCsv, writeCsv } from '../../../model/csv.ts';
import { systemChance } from '../../../model/ids.ts';
import type { Person } from '../../../model/person.ts';

const engineer: Person = { id: 'person-1', user: 'eng', name: 'Engineer', roles: ['biomed'], wards: ['icu'] };
const folder = mkdtempSync(join(tmpdir(), 'vigil-list-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function open() {
  const rows = await openRows({ folder, clock: systemClock(), told: () => undefined });
  const registry = new Registry({
    rows,
    chance: systemChance(),
    wardExists: () => true,
    hostExists: (host) => host === ownHost,
    later: () => undefined,
    inUse: () => false,
    revoke: async () => undefined,
    audit: () => undefined,
    changed: () => undefined,
  });
  await registry.open();
  const mayPlace = (ward: string, bed?: string): boolean =>
    engineer.wards.includes(ward) && (bed === undefined || bed.startsWith(ward));
  const take = (csv: string, dryRun = false): Promise<ImportReport> =>
    importCsv(registry, engineer, { csv, dryRun, mayPlace });
  return { registry, take, [Symbol.asyncDispose]: () => rows.close() };
}

const outcomes = ({ lines }: ImportReport): string[] =>
  lines.map(({ line, outcome }) => `${line} ${outcome}`);

test('each line stands for itself, a dry run changes nothing, and what was exported comes back as the same', async () => {
  await using desk = await open();
  const file = [
    'id,label,ward,bed,driver,settings,serial,periodMs',
    'ox-1,"Oximeter, bed 1",icu,icu-1,masimo,"{""port"":""/dev/ttyS1""}",SN-1,1000',
    'ox-2,Oximeter 2,other,,,,,',
    'ox-3,Oximeter 3,icu,,masimo,"{""port"":""nowhere""}",,',
    'ox-1,Twice,icu,,,,,',
    'w-1,=HYPERLINK("x"),icu,,,,,',
    '',
    'w-2,Wearable,icu,,,{not json,,often',
  ].join('\r\n');
  const wouldBe = await desk.take(file, true);
  expect(outcomes(wouldBe)).toEqual([
    '2 registers',
    '3 refused',
    '4 refused',
    '5 refused',
    '6 registers',
    '8 refused',
  ]);
  expect(desk.registry.list({})).toEqual([]);
  const refused = wouldBe.lines.flatMap(({ line, errors }) => errors.map(({ path }) => `${line} ${path}`));
  expect(refused).toEqual(['3 /ward', '4 /settings/port', '5 /id', '8 /periodMs', '8 /settings']);

  expect(outcomes(await desk.take(file))).toEqual(outcomes(wouldBe));
  expect(desk.registry.get('ox-1')).toMatchObject({
    label: 'Oximeter, bed 1',
    bed: 'icu-1',
    identity: { serial: 'SN-1' },
    settings: { port: '/dev/ttyS1' },
  });
  const out = exportCsv(desk.registry.list({}));
  expect(outcomes(await desk.take(out))).toEqual(['2 same', '3 same']);
  expect(desk.registry.get('w-1')?.label).toBe('=HYPERLINK("x")');
  expect(out).toContain(`"'=HYPERLINK(""x"")"`);

  expect(outcomes(await desk.take('id,label\nox-1,Oximeter of bed 1\n'))).toEqual(['2 changes']);
  expect(desk.registry.get('ox-1')).toMatchObject({ label: 'Oximeter of bed 1', bed: 'icu-1' });
});

test('a header with a column nobody knows is refused before any line', async () => {
  await using desk = await open();
  const report = await desk.take('label,ward,colour\nA,icu,red\n');
  expect(report.lines).toMatchObject([{ line: 1, outcome: 'refused', errors: [{ path: '/colour' }] }]);
});

test('300 devices are registered in one go', async () => {
  await using desk = await open();
  const lines = Array.from({ length: 300 }, (_, n) => `d-${n},Device ${n},icu`);
  const report = await desk.take(['id,label,ward', ...lines].join('\n'));
  expect(report.lines.filter(({ outcome }) => outcome === 'registers')).toHaveLength(300);
});

test('any cells come back from a file as they were written', () => {
  const cell = fc
    .string({ unit: 'grapheme', maxLength: 12 })
    .filter((text) => !/^[=+\-@\t\r]/.test(text) && text !== '\uFEFF');
  const lines = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(lines, (written) => {
      const plain = written.map((cells) => cells.map((text) => text.replaceAll('\uFEFF', '')));
      expect(parseCsv(writeCsv(plain))).toEqual(plain);
    }),
    { seed: 20261121 },
  );
});
