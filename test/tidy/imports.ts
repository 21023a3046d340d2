import type { Import } from './sources.ts';

/**
 * Who may import whom. A room is the first entry whose path begins a file's path; each `may` begins the paths it
 * may import, and `own` is the room itself.
 */
interface Room {
  readonly path: string;
  readonly may: readonly string[];
  /** Paths it may import types from, and nothing that runs. */
  readonly types?: readonly string[];
}

const device = ['model/', 'drivers/driver.ts', 'drivers/transport/'];

const rooms: readonly Room[] = [
  { path: 'model/', may: ['model/'] },
  { path: 'drivers/driver.ts', may: ['model/'] },
  { path: 'drivers/transport/', may: device },
  { path: 'drivers/host/', may: ['model/', 'drivers/', 'broker/topics.ts', 'journal/'] },
  // The two lists of all drivers: whole, for the host, and their light half, for the gateway.
  { path: 'drivers/index.ts', may: ['model/', 'drivers/'] },
  { path: 'drivers/settings.ts', may: ['model/', 'drivers/driver.ts', 'drivers/*/settings.ts'] },
  { path: 'drivers/*/', may: [...device, 'own'] },
  { path: 'broker/', may: ['model/', 'broker/'] },
  { path: 'journal/', may: ['model/', 'journal/'] },
  {
    path: 'gateway/compose.ts',
    may: ['model/', 'drivers/settings.ts', 'broker/', 'journal/', 'gateway/', 'api/'],
  },
  {
    path: 'gateway/',
    may: ['model/', 'drivers/settings.ts', 'drivers/*/settings.ts', 'broker/', 'journal/', 'gateway/'],
  },
  { path: 'api/', may: ['model/', 'api/'] },
  { path: 'web/', may: ['model/', 'web/'], types: ['api/'] },
  { path: 'simulators/', may: ['model/', 'simulators/'] },
  { path: 'clients/', may: ['own'] },
  { path: 'cli/', may: [''] },
  { path: 'bench/', may: [''] },
  { path: 'test/', may: [''] },
];

/** `*` stands for one folder name. */
const begins = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replace(/[.]/g, '\\.').replace(/\*/g, '[^/]+')}`);

const matching = (patterns: readonly string[], path: string): boolean =>
  patterns.some((pattern) => begins(pattern).test(path));

/** Why this import is not allowed, or undefined. */
export function refusal({ from, to, external, typeOnly }: Import): string | undefined {
  if (external || !from.includes('/')) return undefined;
  const room = rooms.find((each) => begins(each.path).test(from));
  if (!room) return `${from} stands in no room of the house`;
  const own = begins(room.path).exec(from)?.[0] ?? room.path;
  const may = room.may.map((each) => (each === 'own' ? own : each));
  if (matching(may, to) || (typeOnly && matching(room.types ?? [], to))) return undefined;
  return `${from} may not import ${to}${typeOnly ? ' (type)' : ''}`;
}

/** Cycles of files, each once, as the files on the way round. */
export function cycles(imports: readonly Import[]): string[][] {
  const graph = new Map<string, string[]>();
  for (const { from, to, external } of imports) {
    if (!external) graph.set(from, [...(graph.get(from) ?? []), to]);
  }
  const found = new Map<string, string[]>();
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    const at = way.indexOf(file);
    if (at >= 0) {
      const round = way.slice(at);
      found.set(round.toSorted().join(' '), [...round, file]);
      return;
    }
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...way, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return [...found.values()];
}

/** Packages a file brings in, by itself or by what it imports at run time. */
export function packagesBehind(file: string, imports: readonly Import[]): Set<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const each of imports) {
      if (each.from !== path || each.typeOnly) continue;
      if (each.external) packages.add(each.to);
      else visit(each.to);
    }
  };
  visit(file);
  return packages;
}
