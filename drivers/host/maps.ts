import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const folder = fileURLToPath(new URL('../maps/', import.meta.url));

/** The maps that come with Vigil, by file name without its ending. A map of the configuration wins over one of these. */
export function readOwnMaps(): ReadonlyMap<string, unknown> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return new Map(
    names.map((name) => [
      name.slice(0, -'.yaml'.length),
      parse(readFileSync(`${folder}${name}`, 'utf8')) as unknown,
    ]),
  );
}
