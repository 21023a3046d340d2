import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { intendedUse } from '../model/intended-use.ts';

/** OpenAPI 3.1 at /api/docs (for people) and /api/docs/json (for programs), made from the routes' own schemas. */
export function describeApi(app: FastifyInstance, version: string): void {
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Vigil',
        version,
        description:
          `${intendedUse}\n\nErrors are problem documents (RFC 9457) with a stable \`code\`. Times are ms since 1970 UTC ` +
          '(`…AtMs`, `…Ms`) or RFC 3339 with zone. Sign in at `POST /api/v1/session`; the session is a cookie. Each ' +
          'route says who may call it, in words and as `x-roles` (empty: everybody). What is in a ward you may not see ' +
          'answers as if it were absent.\n\n' +
          'The live stream is a WebSocket at `GET /api/v1/stream`, by the same cookie and origin. First frame: `{watch: ' +
          '{wards?, beds?}, from?: {epoch, seq}}` (nothing named: all you may see); then every 2 s `{beat: {visible, ' +
          'wakeLock, audio, battery?, nowMs}}`. It answers `{epoch, seq, snapshot}`, or what was missed since `from`, then ' +
          '`{alarm}`, `{bed}`, `{values}` and `{beat}` frames. Alarms are never left out and can be read again for 24 h; ' +
          'values are the newest, once a second a bed at most. Closed with 1001: the gateway stops; 1008: an unreadable ' +
          'frame; 1013: too many streams; 4401: signed out. A reader that takes nothing for 5 s is cut off.',
        license: { name: 'Apache-2.0' },
      },
      components: {
        securitySchemes: { session: { type: 'apiKey', in: 'cookie', name: 'vigil-session' } },
      },
    },
  });
  void app.register(async (docs) => {
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, roles: 'open' };
      route.schema = { ...route.schema, hide: true };
    });
    await docs.register(swaggerUi, {
      routePrefix: '/api/docs',
      uiConfig: { docExpansion: 'list', deepLinking: true },
    });
  });
}
