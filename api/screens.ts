import { existsSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyPluginAsync } from 'fastify';

const screens = ['ward', 'handheld', 'console'] as const;

/** The built screens at /ward, /handheld and /console, their assets beside them; `/` leads to /ward. */
export const serveScreens: FastifyPluginAsync<{ root: string | undefined }> = async (app, { root }) => {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, roles: 'open' };
    route.schema = { ...route.schema, hide: true };
  });
  app.get('/', async (_request, reply) => reply.redirect('/ward'));
  const built = root !== undefined && existsSync(join(root, 'ward.html'));
  if (!built) {
    app.get('/ward', async (_request, reply) =>
      reply.code(503).type('text/html; charset=utf-8').send(notBuilt),
    );
    return;
  }
  await app.register(fastifyStatic, {
    root,
    prefix: '/',
    index: false,
    dotfiles: 'deny',
    cacheControl: false,
    allowedPath: (path) => isInside(root, path),
    setHeaders: (reply, path) => {
      // Vite names assets by their content; a page may change at the next upgrade.
      const fixed = path.includes('/assets/');
      void reply.header('cache-control', fixed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  for (const screen of screens)
    if (existsSync(join(root, `${screen}.html`)))
      app.get(`/${screen}`, async (_request, reply) => reply.sendFile(`${screen}.html`));
};

/** A link that leads out of the built screens is as absent as any other file there. */
function isInside(root: string, path: string): boolean {
  try {
    return realpathSync(join(root, decodeURIComponent(path))).startsWith(realpathSync(root) + sep);
  } catch {
    return false;
  }
}

const notBuilt =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Vigil</title>' +
  '<h1>The screens are not built yet</h1><p>Run <code>npm run prepare</code>, then reload this page.</p></html>';
