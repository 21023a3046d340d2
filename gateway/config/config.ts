import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { LineCounter, parseDocument, type Document } from 'yaml';
import { Settings } from 'typebox/system';
import { Value } from 'typebox/value';
import { mistakesOf } from '../store/servers/settings.ts';
import { ConfigSchema, type Config } from './schema.ts';

/** One thing wrong in vigil.yaml: where, what, and what to change. */
export interface ConfigError {
  /** Dotted path of the setting; empty for the file as a whole. */
  readonly path: string;
  /** 1-based; absent where the file does not name the setting. */
  readonly line?: number;
  readonly cause: string;
  readonly change: string;
}

export type ConfigOutcome = { readonly config: Config } | { readonly errors: readonly ConfigError[] };

/** The settings of an absent file. */
export const defaultConfig = (): Config => Value.Default(ConfigSchema, {}) as Config;

/** Reads a configuration file; a file that is not there is an error only when it was asked for. */
export function readConfig(file: string, asked: 'asked' | 'default'): ConfigOutcome {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (asked === 'default' && code === 'ENOENT') return { config: defaultConfig() };
    return {
      errors: [
        {
          path: '',
          cause: `${file} cannot be read (${code ?? 'unknown'})`,
          change: 'Give the path of a readable file after --config.',
        },
      ],
    };
  }
  return parseConfig(text);
}

/** All errors at once (STYLE rule 7: a person's error is told whole, then the start is refused). */
export function parseConfig(text: string): ConfigOutcome {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const broken = document.errors.map((error) => ({
    path: '',
    line: lines.linePos(error.pos[0]).line,
    cause: error.message.split('\n')[0] ?? 'not YAML',
    change: 'Correct the YAML of this line.',
  }));
  if (broken.length > 0) return { errors: broken };
  const told: unknown = document.toJS() ?? {};
  const config = Value.Default(ConfigSchema, structuredClone(told)) as Config;
  const found = allErrors(config).flatMap((error) => describe(error, document, lines));
  const errors =
    found.length > 0
      ? unique(found)
      : [...outwardErrors(config, document, lines), ...sinkErrors(config, document, lines)];
  return errors.length > 0 ? { errors } : { config };
}

export const formatErrors = (file: string, errors: readonly ConfigError[]): string =>
  [
    `${file}: ${errors.length} error${errors.length === 1 ? '' : 's'}`,
    ...errors.map((error) => {
      const where = [error.path || '(file)', error.line === undefined ? undefined : `line ${error.line}`]
        .filter(Boolean)
        .join(', ');
      return `  ${where}: ${error.cause}\n      ${error.change}`;
    }),
  ].join('\n');

/** TypeBox stops at eight errors unless told otherwise; a person wants all of them. */
function allErrors(config: unknown): readonly SchemaError[] {
  const before = Settings.Get().maxErrors;
  Settings.Set({ maxErrors: 1_000 });
  try {
    return Value.Errors(ConfigSchema, config);
  } finally {
    Settings.Set({ maxErrors: before });
  }
}

interface SchemaError {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message?: string;
}

function describe(error: SchemaError, document: Document, lines: LineCounter): ConfigError[] {
  const path = error.instancePath.split('/').slice(1);
  const params = error.params as {
    additionalProperties?: readonly string[];
    type?: string | readonly string[];
    limit?: number;
  };
  if (error.keyword === 'additionalProperties') {
    return (params.additionalProperties ?? []).map((name) => ({
      path: [...path, name].join('.'),
      line: lineOf([...path, name], document, lines),
      cause: 'there is no such setting',
      change: `Remove it, or use one of: ${settingsAt(path).join(', ')}.`,
    }));
  }
  // `boolean` repeats additionalProperties; `const` repeats the anyOf that holds it.
  if (error.keyword === 'boolean' || (error.keyword === 'const' && error.schemaPath.includes('anyOf')))
    return [];
  return [
    {
      path: path.join('.'),
      line: lineOf(path, document, lines),
      cause: error.message ?? error.keyword,
      change: `Set it to ${wanted(path)}.`,
    },
  ];
}

/** A listener beyond this machine needs TLS, or to be told so in so many words. */
function outwardErrors(config: Config, document: Document, lines: LineCounter): ConfigError[] {
  return (['http', 'mqtt'] as const).flatMap((name) => {
    const { host, tls, allowPlaintextOutward } = config[name];
    if (isLoopback(host) || tls || allowPlaintextOutward) return [];
    return [
      {
        path: `${name}.host`,
        line: lineOf([name, 'host'], document, lines),
        cause: `${host} is beyond this machine and there is no TLS`,
        change: `Give ${name}.tls (certificate and key), bind to 127.0.0.1, or set ${name}.allowPlaintextOutward: true.`,
      },
    ];
  });
}

/** Settings of a sink that do not go together, and what only one sink may have. */
function sinkErrors({ sinks }: Config, document: Document, lines: LineCounter): ConfigError[] {
  return sinks.flatMap((sink, at) => {
    const mistakes = mistakesOf(sink);
    if (sinks.findIndex(({ id }) => id === sink.id) < at)
      mistakes.push({
        setting: 'id',
        cause: `${sink.id} is there twice`,
        change: 'Give each sink its own id.',
      });
    if (sink.longQueries && sinks.findIndex(({ longQueries }) => longQueries) < at)
      mistakes.push({
        setting: 'longQueries',
        cause: 'another sink answers them already',
        change: 'Set it for one sink only.',
      });
    return mistakes.map(({ setting, cause, change }) => {
      const path = ['sinks', String(at), setting];
      return { path: path.join('.'), line: lineOf(path, document, lines), cause, change };
    });
  });
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

function lineOf(path: readonly string[], document: Document, lines: LineCounter): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown =
      length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const items =
      (parent as { items?: readonly { key?: { value?: unknown; range?: readonly number[] } }[] } | null)
        ?.items ?? [];
    const key = items.find((item) => String(item.key?.value) === path[length - 1])?.key?.range?.[0];
    // An item of a list has no key, but a place.
    const at = key ?? itemAt(items[Number(path[length - 1])]);
    if (at !== undefined) return lines.linePos(at).line;
  }
  return undefined;
}

const itemAt = (item: object | undefined): number | undefined =>
  item && 'range' in item && Array.isArray(item.range) ? (item.range[0] as number) : undefined;

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly const?: unknown;
  readonly anyOf?: readonly SchemaNode[];
  readonly default?: unknown;
}

const nodeAt = (path: readonly string[]): SchemaNode | undefined =>
  path.reduce<SchemaNode | undefined>(
    (node, name) => node?.properties?.[name] ?? node?.items,
    ConfigSchema as SchemaNode,
  );

const settingsAt = (path: readonly string[]): string[] => Object.keys(nodeAt(path)?.properties ?? {});

function wanted(path: readonly string[]): string {
  const node = nodeAt(path);
  if (!node) return 'what docs/operating.md says';
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.anyOf) return node.anyOf.map((one) => JSON.stringify(one.const)).join(' or ');
  const from = node.minimum === undefined ? '' : ` from ${node.minimum}`;
  const to = node.maximum === undefined ? '' : ` to ${node.maximum}`;
  const usual =
    node.default === undefined || typeof node.default === 'object'
      ? ''
      : ` (default ${JSON.stringify(node.default)})`;
  return `${node.type === 'object' ? 'a section' : node.type === 'integer' ? 'an integer' : `a ${node.type ?? 'value'}`}${from}${to}${usual}`;
}

const unique = (errors: readonly ConfigError[]): ConfigError[] => [
  ...new Map(errors.map((error) => [`${error.path} ${error.cause}`, error])).values(),
];
