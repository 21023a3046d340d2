import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** Builds web/dist; `npm ci` does it through `prepare`, the demo and the start do it when it is missing. */
await build({ configFile: fileURLToPath(new URL('../web/vite.config.ts', import.meta.url)) });
