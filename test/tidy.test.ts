import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { forbiddenCalls, loggedPatientData } from './tidy/calls.ts';
import { parts, renewed } from './tidy/generated.ts';
import { cycles, packagesBehind, refusal } from './tidy/imports.ts';
import { sizes } from './tidy/sizes.ts';
import { allFiles, importsOf, parse, read, root, sources, type Import } from './tidy/sources.ts';
import { misused } from './tidy/words.ts';

const imports = sources.flatMap(importsOf);
const files = allFiles();

describe('imports', () => {
  test('follow the table of the house, type imports included', () => {
    expect(imports.map(refusal).filter(Boolean)).toEqual([]);
  });

  test('lead to files that are there', () => {
    const lost = imports.filter((each) => !each.external && !existsSync(join(root, each.to)));
    expect(lost.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  test('make no cycle, type imports included', () => {
    expect(cycles(imports).map((round) => round.join(' → '))).toEqual([]);
  });

  test('bring no device library into the gateway by way of the drivers’ settings', () => {
    const packages = [...packagesBehind('drivers/settings.ts', imports)];
    expect(packages.filter((name) => !/^(typebox(\/.*)?|node:.*)$/.test(name))).toEqual([]);
  });

  const asked = (from: string, to: string, typeOnly = false): Import => ({
    from,
    to,
    external: false,
    typeOnly,
  });
  test.each([
    asked('model/alarm.ts', 'gateway/config.ts', true),
    asked('drivers/masimo/index.ts', 'drivers/modbus/bus.ts'),
    asked('drivers/masimo/index.ts', 'broker/topics.ts'),
    asked('drivers/host/main.ts', 'broker/door.ts'),
    asked('drivers/host/main.ts', 'gateway/config.ts'),
    asked('broker/door.ts', 'journal/journal.ts'),
    asked('gateway/devices.ts', 'drivers/masimo/index.ts'),
    asked('gateway/devices.ts', 'api/services.ts', true),
    asked('api/server.ts', 'gateway/config.ts', true),
    asked('web/ward.tsx', 'api/services.ts'),
    asked('simulators/ward.ts', 'drivers/masimo/codec.ts', true),
    asked('clients/platform/client.ts', 'model/alarm.ts', true),
    asked('tools/x.ts', 'model/alarm.ts'),
  ])('$from may not import $to', (each) => {
    expect(refusal(each)).toBeTypeOf('string');
  });

  test.each([
    asked('drivers/masimo/index.ts', 'drivers/transport/port.ts'),
    asked('drivers/masimo/index.ts', 'drivers/masimo/codec.ts'),
    asked('drivers/host/main.ts', 'drivers/index.ts'),
    asked('gateway/compose.ts', 'api/server.ts'),
    asked('gateway/devices.ts', 'drivers/settings.ts'),
    asked('web/ward.tsx', 'api/shapes.ts', true),
    asked('clients/platform/client.ts', 'clients/platform/types.ts'),
    asked('cli/demo.ts', 'gateway/main.ts'),
  ])('$from may import $to', (each) => {
    expect(refusal(each)).toBeUndefined();
  });

  test('a cycle is found whatever kind of import closes it', () => {
    const one = parse('model/a.ts', "import type { B } from './b.ts';\nexport type A = B;");
    const two = parse('model/b.ts', "export type B = import('./c.ts').C;");
    const three = parse('model/c.ts', "export * from './a.ts';");
    expect(cycles([one, two, three].flatMap(importsOf))).toHaveLength(1);
  });
});

describe('time, chance and patients', () => {
  test('time and chance are handed in', () => {
    expect(sources.flatMap(forbiddenCalls)).toEqual([]);
  });

  test('no patient data goes to a log or into a fault', () => {
    expect(sources.flatMap(loggedPatientData)).toEqual([]);
  });

  test.each([
    'Date.now()',
    'new Date()',
    'setTimeout(run, 1)',
    'globalThis.setInterval(run, 1)',
    'Math.random()',
    'randomUUID()',
  ])('%s is found in a room, and not in the clock’s own file or a test', (call) => {
    expect(forbiddenCalls(parse('gateway/a.ts', `export const a = () => ${call};`))).toHaveLength(1);
    expect(forbiddenCalls(parse('test/a.test.ts', `export const a = () => ${call};`))).toEqual([]);
  });

  test('an instant made from a number is no reading of time', () => {
    expect(forbiddenCalls(parse('gateway/a.ts', 'export const a = (ms: number) => new Date(ms);'))).toEqual(
      [],
    );
  });

  test.each([
    'log.info({ mrn: patient.mrn }, "admitted")',
    'request.log.warn({ patient }, "seen")',
    'console.error(`no bed for ${patient.name}`)',
    'new Fault("CONFIG_INVALID", { birthDate })',
  ])('%s is found', (call) => {
    expect(loggedPatientData(parse('api/a.ts', `export const a = () => ${call};`)).length).toBeGreaterThan(0);
  });
});

describe('words', () => {
  test('types and JSON keys say one word a thing', () => {
    expect(sources.flatMap(misused)).toEqual([]);
  });

  test('a wrong word is found in a type, a key and a schema', () => {
    const text = `
      export interface SensorQuality { readonly ackedBy: string }
      export const Body = Type.Object({ severity: Type.String(), priority: Type.String() });`;
    expect(misused(parse('api/shapes.ts', text))).toHaveLength(4);
    expect(misused(parse('drivers/x/codec.ts', text))).toEqual([]);
  });

  test('docs/words.md holds the whole table, each word in Chinese too', () => {
    const rows = read('docs/words.md')
      .split('\n')
      .filter((line) => line.startsWith('| ') && !line.startsWith('| Our word'))
      .map((line) => line.split('|').map((cell) => cell.trim()));
    const spoken = rows.map((cells) => cells[1]);
    for (const word of [
      'Device',
      'Metric',
      'Observation',
      'Waveform',
      'Validity',
      'Link',
      'Encounter',
      'Association',
    ])
      expect(spoken).toContain(word);
    for (const word of ['AlarmLimit', 'AlarmCondition', 'Priority', 'AlarmSignal', 'Acknowledge', 'Re-alarm'])
      expect(spoken).toContain(word);
    for (const word of [
      'Escalation',
      'Redirection',
      'Delivery',
      'MonitoringState',
      'Responsibility',
      'Loss ledger',
    ])
      expect(spoken).toContain(word);
    for (const word of ['Sink, Outlet', 'Front door', 'Driver host', 'Map', 'Fault'])
      expect(spoken).toContain(word);
    for (const cells of rows) {
      expect(cells).toHaveLength(7);
      expect(cells[2], cells[1]).toMatch(/[\u4e00-\u9fff]/);
    }
  });
});

describe('documents', () => {
  test.each([...new Set(parts.map((part) => part.page))])(
    '%s is in step with the code (npm run docs)',
    (page) => {
      const wanted = renewed(page, read(page)).split('\n');
      const told = read(page).split('\n');
      expect(wanted.filter((line) => !told.includes(line))).toEqual([]);
      expect(told.filter((line) => !wanted.includes(line))).toEqual([]);
    },
  );

  test('a decision is at most 60 lines', () => {
    const long = files.filter(
      (path) => path.startsWith('docs/decisions/') && read(path).split('\n').length > 61,
    );
    expect(long).toEqual([]);
  });

  test('every dependency stands in a decision', () => {
    const decided = files
      .filter((path) => path.startsWith('docs/decisions/'))
      .map(read)
      .join('\n');
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
      read('package.json'),
    ) as Record<string, Record<string, string>>;
    const all = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
    expect(all.filter((name) => !decided.includes(`\`${name}\``))).toEqual([]);
  });

  test('every version is pinned, and the lock names no place to download from', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
      string,
      Record<string, string>
    >;
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    expect(read('package-lock.json')).not.toContain('"resolved"');
  });

  test('the README is read in one sitting', () => {
    const readme = files.includes('README.md') ? read('README.md') : '';
    expect(readme.split('\n').length).toBeLessThanOrEqual(151);
  });

  test('every driver family has its README', () => {
    const families = new Set(
      files.flatMap((path) => /^drivers\/([^/]+)\/settings\.ts$/.exec(path)?.[1] ?? []),
    );
    expect([...families].filter((family) => !files.includes(`drivers/${family}/README.md`))).toEqual([]);
  });
});

describe('places', () => {
  const texts = files.filter((path) => /\.(m?[jt]sx?|json|ya?ml|md|sh|html|css|csv|txt)$|^\.ci\//.test(path));
  const spoken = texts.filter((path) => path !== 'package-lock.json');
  // Whoever clones this has neither our folders nor our hosts. Written so that this file does not name them itself.
  const folders = /\/(?:w[o]rk|r[o]ot|h[o]me\/[a-z]+|U[s]ers\/[a-z]+)\//;
  // A name without a dot stands for any host (`opc.tcp://HOST:4840`).
  const known =
    /^([A-Za-z0-9_-]+|www\.apache\.org|([a-z.]+\.)?(opcfoundation|hl7|loinc|snomed|unitsofmeasure|json-schema|openapis|w3|rfc-editor|ietf|ihe)\.(org|info|net)|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|github\.com|physionet\.org|opendatacommons\.org|creativecommons\.org|([a-z0-9-]+\.)*example(\.[a-z]+)?)$/;

  test('no file names a folder of the machine it was written on', () => {
    expect(spoken.filter((path) => folders.test(read(path)))).toEqual([]);
  });

  test('no file names a host but of standards, licences, examples and loopback', () => {
    const hosts = spoken.flatMap((path) =>
      [...read(path).matchAll(/\b(?:https?|wss?|mqtts?|opc\.tcp):\/\/([A-Za-z0-9._-]+|\[::1\])/g)].map(
        (found) => ({
          path,
          host: found[1] ?? '',
        }),
      ),
    );
    expect(hosts.filter(({ host }) => !known.test(host))).toEqual([]);
  });
});

test('the largest files and functions, for a person to judge', () => {
  const report = sizes(sources.filter((source) => !source.path.startsWith('test/')));
  console.log(report);
  expect(report).toContain('largest functions');
});
