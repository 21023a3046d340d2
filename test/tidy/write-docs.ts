// `npm run docs`: writes what docs/ takes from the code.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parts, renewed } from './generated.ts';
import { read, root } from './sources.ts';

for (const page of new Set(parts.map((part) => part.page))) {
  writeFileSync(join(root, page), renewed(page, read(page)));
}
