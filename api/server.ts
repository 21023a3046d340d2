import type { IncomingMessage, Server } from 'node:http';
import type { SecureContextOptions } from 'node:tls';
import type { Duplex } from 'node:stream';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Clock } from '../model/clock.ts';
import { Fault } from '../model/fault.ts';
import { guard } from './auth.ts';
import { serializerCompiler, validatorCompiler } from './compilers.ts';
import { describeApi } from './docs.ts';
import { readJson } from './json-body.ts';
import { bodyLimit, sendProblem } from './problems.ts';
import { adminRoutes } from './routes/admin.ts';
import { alarmHistoryRoutes } from './routes/alarm-history.ts';
import { alarmRoutes } from './routes/alarms.ts';
import { analyticsRoutes } from './routes/analytics.ts';
import { associationRoutes } from './routes/associations.ts';
import { backupRoutes } from './routes/backup.ts';
import { biomedRoutes } from './routes/biomed.ts';
import { chartingRoutes } from './routes/charting.ts';
import { deviceListRoutes } from './routes/device-lists.ts';
import { hostRoutes } from './routes/hosts.ts';
import { mapRoutes } from './routes/maps.ts';
import { encounterRoutes } from './routes/encounters.ts';
import { jobRoutes } from './routes/jobs.ts';
import { lossRoutes } from './routes/losses.ts';
import { nursingRoutes } from './routes/nursing.ts';
import { observationRoutes } from './routes/observations.ts';
import { openRoutes } from './routes/open.ts';
import { patientRoutes } from './routes/patients.ts';
import { peopleRoutes } from './routes/people.ts';
import { platformRoutes } from './routes/platform.ts';
import { reviewRoutes } from './routes/review.ts';
import { scoreRoutes } from './routes/scores.ts';
import { sessionRoutes } from './routes/session.ts';
import { waveformRoutes } from './routes/waveforms.ts';
import { wardLimitRoutes } from './routes/ward-limits.ts';
import { sinkRoutes } from './routes/sinks.ts';
import type { Services } from './services.ts';
import { ProblemShape } from './shapes/problem.ts';
import { serveScreens } from './screens.ts';
import { serveStream } from './stream.ts';
import { boundConnections, takeUpgrades } from './sockets.ts';

export interface ServerOptions {
  readonly clock: Clock;
  /** web/dist; absent or missing: a page that says how to build it. */
  readonly webRoot?: string;
  /** Said in the API's description. */
  readonly version: string;
  /** The address or net of a reverse proxy whose X-Forwarded-For is believed; default nobody's. */
  readonly trustProxy?: string | readonly string[];
  readonly https?: SecureContextOptions;
  /** Behind a TLS proxy: the cookie is Secure although we listen without TLS. Default: true with `https`. */
  readonly secureCookie?: boolean;
  /** Origins a browser may call from beside the request's own host. */
  readonly origins?: readonly string[];
  readonly limits?: Partial<ServerLimits>;
  readonly logger?: FastifyBaseLogger;
  /** MQTT over WebSocket at /mqtt; absent: 404 there. */
  readonly mqttUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export interface ServerLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** A person's requests a minute; of an address while nobody is signed in. */
  readonly requestsPerMinute: number;
  readonly signInsPerMinute: number;
  readonly streams: number;
}
const defaults: ServerLimits = {
  connections: 2_000,
  connectionsPerAddress: 256,
  requestsPerMinute: 1_200,
  signInsPerMinute: 30,
  streams: 1_000,
};

export type App = FastifyInstance;

/** The whole API and the screens on one instance that does not listen yet: `inject` it, or `listen` it. */
export function buildServer(services: Services, options: ServerOptions): App {
  const limits = { ...defaults, ...options.limits };
  const secure = options.secureCookie ?? options.https !== undefined;
  const app = makeInstance(options);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler({ preHandler: [] }, (request, reply) =>
    sendProblem(new Fault('API_NOT_FOUND'), request, reply),
  );
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit }, readJson);
  app.addHook('onRoute', (route) => {
    const problems = { '4xx': ProblemShape, '5xx': ProblemShape };
    route.schema = { ...route.schema, response: { ...problems, ...declared(route.schema) } };
  });
  void app.register(cookie);
  void app.register(helmet, security(secure));
  void app.after(() => guard(app, { services, secure, origins: options.origins ?? [] }));
  void app.register(rateLimit, rates(limits));
  const upgrades = takeUpgrades(app.server as Server, options.mqttUpgrade);
  boundConnections(app.server as Server, limits);

  describeApi(app, options.version);
  void app.register(serveStream, { services, clock: options.clock, upgrades, limits });
  void app.register(
    async (v1) => {
      await v1.register(sessionRoutes, { services, secure, signInsPerMinute: limits.signInsPerMinute });
      await v1.register(nursingRoutes, { services, clock: options.clock });
      await v1.register(alarmRoutes, { services });
      await v1.register(alarmHistoryRoutes, { services, clock: options.clock });
      await v1.register(wardLimitRoutes, { services });
      await v1.register(scoreRoutes, { services });
      await v1.register(reviewRoutes, { services });
      await v1.register(encounterRoutes, { services });
      await v1.register(associationRoutes, { services });
      await v1.register(patientRoutes, { services });
      await v1.register(biomedRoutes, { services });
      await v1.register(chartingRoutes, { services });
      await v1.register(deviceListRoutes, { services });
      await v1.register(hostRoutes, { services });
      await v1.register(mapRoutes, { services });
      await v1.register(observationRoutes, { services, clock: options.clock });
      await v1.register(platformRoutes);
      await v1.register(peopleRoutes, { services });
      await v1.register(waveformRoutes, { services, clock: options.clock });
      await v1.register(adminRoutes, { services });
      await v1.register(sinkRoutes, { services });
      await v1.register(jobRoutes, { services });
      await v1.register(backupRoutes, { services });
      await v1.register(analyticsRoutes, { services });
      await v1.register(lossRoutes, { services, clock: options.clock });
    },
    { prefix: '/api/v1' },
  );
  void app.register(openRoutes, { services });
  void app.register(serveScreens, { root: options.webRoot });
  return app;
}

function makeInstance({ https, logger, trustProxy }: ServerOptions): App {
  const common = {
    bodyLimit,
    requestTimeout: 15_000,
    keepAliveTimeout: 30_000,
    // A stream or a long export must not hold a stop up (their sockets are told first).
    forceCloseConnections: true,
    trustProxy: typeof trustProxy === 'object' ? [...trustProxy] : trustProxy,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 128, ignoreTrailingSlash: true },
    ...(logger ? { loggerInstance: logger } : {}),
    // Paths hold ids and queries may hold a record number: neither belongs in a log line of every request.
    logController: new LogController({ disableRequestLogging: true }),
  } as const;
  // Node looks for late headers only every connectionsCheckingInterval, 30 s if unsaid.
  const timing = { headersTimeout: 10_000, connectionsCheckingInterval: 1_000 };
  const made = https
    ? Fastify({ ...common, https: { ...https, minVersion: 'TLSv1.2', ...timing } })
    : Fastify({ ...common, http: timing });
  return made.withTypeProvider<TypeBoxTypeProvider>() as unknown as App;
}

const declared = (schema: unknown): Record<string, unknown> =>
  ((schema as { response?: Record<string, unknown> } | undefined)?.response ?? {}) as Record<string, unknown>;

/** No inline script or style anywhere: a patient's name can then be no program. */
const security = (secure: boolean) => ({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      fontSrc: ["'self'"],
      mediaSrc: ["'self'", 'data:', 'blob:'],
      workerSrc: ["'self'"],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  strictTransportSecurity: secure ? { maxAge: 31_536_000 } : false,
  xFrameOptions: { action: 'deny' as const },
});

const rates = (limits: ServerLimits) => ({
  global: true,
  max: limits.requestsPerMinute,
  timeWindow: 60_000,
  cache: 10_000,
  keyGenerator: (request: { person?: { id: string } | undefined; ip: string }) =>
    request.person ? `person ${request.person.id}` : `address ${request.ip}`,
  errorResponseBuilder: (_: unknown, context: { ttl: number }) =>
    new Fault('API_TOO_MANY', { waitS: Math.ceil(context.ttl / 1_000) }),
});
