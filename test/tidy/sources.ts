import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'vite';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A node of the syntax tree, as far as these checks look into it. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

export interface Source {
  /** Path from the root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly program: Node;
}

export interface Import {
  readonly from: string;
  /** A path from the root for our own files, else the package or `node:` name. */
  readonly to: string;
  readonly external: boolean;
  readonly typeOnly: boolean;
}

const left = new Set(['node_modules', '.git', 'coverage', 'dist', 'data', 'recordings']);

/** Every file of the house by path, without what is installed, built or recorded. */
export function allFiles(folder = root): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (left.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? allFiles(path) : entry.isFile() ? [relative(root, path)] : [];
  });
}

export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

export function parse(path: string, text: string): Source {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  return { path, text, program: program as unknown as Node };
}

export const sources: readonly Source[] = allFiles()
  .filter((path) => /\.(m?ts|tsx|mjs)$/.test(path) && !path.endsWith('.d.ts'))
  .map((path) => parse(path, read(path)));

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

/** Every node below (and with) this one, parents first. */
export function* nodes(node: Node): Generator<Node> {
  yield node;
  for (const value of Object.values(node)) {
    if (isNode(value)) yield* nodes(value);
    else if (Array.isArray(value)) for (const each of value) if (isNode(each)) yield* nodes(each);
  }
}

export const lineOf = (source: Source, node: Node): number =>
  source.text.slice(0, node.start).split('\n').length;

/** `name`, or `object.property` for what is called or read by a plain path; undefined for anything else. */
export function pathOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Identifier') return String(node['name']);
  if (node.type === 'ThisExpression') return 'this';
  if (node.type !== 'MemberExpression' || node['computed'] === true) return undefined;
  const object = pathOf(node['object']);
  return object === undefined ? undefined : `${object}.${pathOf(node['property']) ?? '?'}`;
}

const spoken = (node: Node): { readonly name: unknown; readonly typeOnly: boolean } | undefined => {
  const of = (value: unknown): unknown => (isNode(value) ? value['value'] : undefined);
  switch (node.type) {
    case 'ImportDeclaration':
      return { name: of(node['source']), typeOnly: node['importKind'] === 'type' };
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      return { name: of(node['source']), typeOnly: node['exportKind'] === 'type' };
    case 'ImportExpression':
      return { name: of(node['source']), typeOnly: false };
    case 'TSImportType':
      return { name: of(node['source']), typeOnly: true };
    default:
      return undefined;
  }
};

/** Static, dynamic, type and re-exporting imports alike. */
export const importsOf = (source: Source): Import[] =>
  [...nodes(source.program)].flatMap((node) => {
    const found = spoken(node);
    if (!found || typeof found.name !== 'string') return [];
    const external = !found.name.startsWith('.');
    const to = external ? found.name : join(dirname(source.path), found.name);
    return [{ from: source.path, to, external, typeOnly: found.typeOnly }];
  });
