import { lineOf, nodes, pathOf, type Node, type Source } from './sources.ts';

const functions = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'MethodDefinition',
]);

interface Size {
  readonly where: string;
  readonly lines: number;
}

const largest = (sizes: readonly Size[], most: number): Size[] =>
  sizes.toSorted((one, other) => other.lines - one.lines).slice(0, most);

const linesOf = (source: Source, node: Node): number =>
  source.text.slice(node.start, node.end).split('\n').length;

/** The largest files and functions, for a person to judge: a screen and a sitting are the measure, not a bound. */
export function sizes(sources: readonly Source[]): string {
  const files = sources.map(({ path, text }) => ({ where: path, lines: text.split('\n').length - 1 }));
  const bodies = sources.flatMap((source) =>
    [...nodes(source.program)]
      .filter((node) => functions.has(node.type))
      .map((node) => ({
        where: `${source.path}:${lineOf(source, node)} ${pathOf(node['id'] ?? node['key']) ?? ''}`,
        lines: linesOf(source, node),
      })),
  );
  const shown = (list: readonly Size[]): string =>
    list.map(({ where, lines }) => `  ${String(lines).padStart(5)}  ${where}`).join('\n');
  return `largest files\n${shown(largest(files, 10))}\nlargest functions\n${shown(largest(bodies, 10))}`;
}
