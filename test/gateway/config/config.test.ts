import { describe, expect, test } from 'vitest';
import {
  defaultConfig,
  formatErrors,
  isLoopback,
  parseConfig,
  readConfig,
  type ConfigError,
} from '../../../gateway/config/config.ts';

const errorsOf = (text: string): readonly ConfigError[] => {
  const outcome = parseConfig(text);
  return 'errors' in outcome ? outcome.errors : [];
};

describe('vigil.yaml', () => {
  test('an empty one is all defaults, on loopback', () => {
    expect(parseConfig('')).toEqual({ config: defaultConfig() });
    expect(defaultConfig()).toMatchObject({
      data: './data',
      http: { host: '127.0.0.1', port: 8080 },
      mqtt: { host: '127.0.0.1', port: 1883 },
    });
  });

  test('every error is told at once, with its path, its line and what to change', () => {
    const errors = errorsOf(
      [
        'version: 2',
        'mqqt: {}',
        'http:',
        '  port: "80"',
        'journal:',
        '  commitMs: 0',
        '  foo: 1',
        'log:',
        '  level: loud',
      ].join('\n'),
    );
    expect(errors.map(({ path, line }) => [path, line])).toEqual(
      expect.arrayContaining([
        ['version', 1],
        ['mqqt', 2],
        ['http.port', 4],
        ['journal.commitMs', 6],
        ['journal.foo', 7],
        ['log.level', 9],
      ]),
    );
    expect(errors).toHaveLength(6);
    expect(errors.find(({ path }) => path === 'http.port')?.change).toBe(
      'Set it to an integer from 0 to 65535 (default 8080).',
    );
    expect(errors.find(({ path }) => path === 'mqqt')?.change).toContain('mqtt');
  });

  describe('a sink', () => {
    const sinks = (...each: readonly string[]): string =>
      [
        'sinks:',
        ...each.map((one) => `  - { id: a, kind: influxdb-1, url: "http://127.0.0.1:8086", ${one} }`),
      ].join('\n');

    test('has defaults for what is not written', () => {
      const outcome = parseConfig(sinks('database: vigil'));
      expect(outcome).toMatchObject({
        config: {
          sinks: [{ id: 'a', measurement: 'vigil', longQueries: false, gzip: true, deadlineMs: 8_000 }],
        },
      });
    });

    test.each([
      ['nonsense: 1', 'sinks.0.nonsense', 'there is no such setting'],
      ['database: v, deadlineMs: 1', 'sinks.0.deadlineMs', 'must be >= 100'],
      ['gzip: true', 'sinks.0.database', 'influxdb-1 needs it'],
      ['database: v, user: me', 'sinks.0.user', 'a user without a secret'],
      ['database: v, secret: {}', 'sinks.0.secret', 'one of file and env is needed'],
    ])('with %s is refused at %s', (written, path, cause) => {
      expect(errorsOf(sinks(written))).toMatchObject([{ path, cause, line: 2 }]);
    });

    test.each([
      ['http://influx.example:8086', 'influx.example is beyond this machine and there is no TLS'],
      ['http://me:secret@127.0.0.1:8086', 'a secret in the URL would stand in logs'],
      ['http://127.0.0.1:8086/?db=x', 'it has a query'],
    ])('at %s is refused', (url, cause) => {
      const text = `sinks:\n  - id: a\n    kind: victoriametrics\n    url: "${url}"`;
      expect(errorsOf(text)).toMatchObject([{ path: 'sinks.0.url', line: 4, cause }]);
    });

    test('shares its id and the long queries with no other', () => {
      expect(
        errorsOf(sinks('database: v, longQueries: true', 'database: w, longQueries: true')),
      ).toMatchObject([
        { path: 'sinks.1.id', line: 3 },
        { path: 'sinks.1.longQueries', line: 3 },
      ]);
    });
  });

  test('more than eight errors are all told', () => {
    const text = Array.from({ length: 20 }, (_, at) => `nonsense${at}: 1`).join('\n');
    expect(errorsOf(text)).toHaveLength(20);
  });

  test.each(['http', 'mqtt'])('%s does not bind outward without TLS unless told in so many words', (name) => {
    expect(errorsOf(`${name}:\n  host: 0.0.0.0\n`)).toMatchObject([{ path: `${name}.host`, line: 2 }]);
    expect(errorsOf(`${name}:\n  host: "::"\n`)).toHaveLength(1);
    expect(errorsOf(`${name}:\n  host: 0.0.0.0\n  allowPlaintextOutward: true\n`)).toEqual([]);
    expect(errorsOf(`${name}:\n  host: 0.0.0.0\n  tls: { certificate: c.pem, key: k.pem }\n`)).toEqual([]);
  });

  test('loopback is loopback by any of its names, and nothing else is', () => {
    expect(['127.0.0.1', '127.8.9.1', 'localhost', '::1'].every(isLoopback)).toBe(true);
    expect(['0.0.0.0', '::', '10.0.0.1', '127.evil.example', '192.168.1.1'].some(isLoopback)).toBe(false);
  });

  test('broken YAML names its line', () => {
    expect(errorsOf('http:\n  port: [1\nmqtt: 2\n')[0]).toMatchObject({
      path: '',
      change: 'Correct the YAML of this line.',
    });
    expect(errorsOf('data: a\ndata: b\n')[0]?.line).toBe(2);
  });

  test('a file that was asked for and is not there is an error; the usual one need not be there', () => {
    expect(readConfig('/nonexistent/vigil.yaml', 'default')).toEqual({ config: defaultConfig() });
    const outcome = readConfig('/nonexistent/vigil.yaml', 'asked');
    expect('errors' in outcome && formatErrors('x', outcome.errors)).toContain('cannot be read (ENOENT)');
  });
});
