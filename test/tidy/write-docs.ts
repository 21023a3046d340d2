// `npm run docs`: writes what docs/ takes from the code.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withFaults } from './fault-page.ts';
import { read, root } from './sources.ts';

const page = 'docs/operating.md';
writeFileSync(join(root, page), withFaults(read(page)));
