import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { Fault } from '../model/fault.ts';
import type { WardId } from '../model/ids.ts';
import { roles as allRoles, type Person, type Role } from '../model/person.ts';
import type { Services } from './services.ts';

/** Who may call a route: everybody, everybody signed in, or these roles. */
export type WhoMay = 'open' | 'signed-in' | readonly Role[];

declare module 'fastify' {
  interface FastifyContextConfig {
    roles?: WhoMay;
  }
  interface FastifyRequest {
    person: Person | undefined;
    sessionSecret: string | undefined;
    problemCode: string | undefined;
  }
}

/** Groups of roles, as the tables of DESIGN 6 and CLINICAL 4 name them. */
export const nurses = ['nurse', 'charge-nurse'] as const satisfies readonly Role[];
export const clinical = [...nurses, 'physician'] as const satisfies readonly Role[];
export const watching = [...clinical, 'display', 'biomed', 'admin'] as const satisfies readonly Role[];
const knowingPatients: readonly Role[] = [...clinical, 'display', 'platform'];

export const sees = (person: Person, ward: WardId): boolean =>
  person.wards === 'all' || person.wards.includes(ward);
export const hasRole = (person: Person, ...wanted: readonly Role[]): boolean =>
  person.roles.some((role) => wanted.includes(role));
/** Engineers and administrators see beds and values, not whose they are. */
export const knowsPatients = (person: Person): boolean => hasRole(person, ...knowingPatients);

/** The person behind the request; only routes whose roles are not 'open' may ask. */
export function personOf(request: FastifyRequest): Person {
  if (!request.person) throw new Fault('API_NOT_SIGNED_IN');
  return request.person;
}

/** What is there and in a ward of this person; foreign and absent are the same 404, which says what was looked for. */
export function inSight<T extends { readonly ward: WardId }>(
  person: Person,
  found: T | undefined,
  what?: string,
): T {
  if (!found || !sees(person, found.ward)) throw new Fault('API_NOT_FOUND', { what });
  return found;
}

export const cookieName = (secure: boolean): string => (secure ? '__Host-vigil-session' : 'vigil-session');

export interface AuthOptions {
  readonly services: Services;
  readonly secure: boolean;
  /** Origins beside the request's own host that a browser may call from (a proxy that changes the host). */
  readonly origins: readonly string[];
}

/**
 * Finds the person of each request by its session cookie, and refuses by role before a body is read. A route that does
 * not say who may call it stops the start.
 */
export function guard(app: FastifyInstance, { services, secure, origins }: AuthOptions): void {
  app.decorateRequest('person', undefined);
  app.decorateRequest('sessionSecret', undefined);
  app.decorateRequest('problemCode', undefined);
  const cookie = cookieName(secure);

  app.addHook('onRequest', async (request) => {
    const secret = request.cookies[cookie];
    if (secret === undefined || secret.length > 256) return;
    request.person = services.identity.person(secret);
    if (request.person) request.sessionSecret = secret;
  });

  app.addHook('preParsing', async (request) => {
    if (request.is404) return;
    refuseByRole(request);
    refuseForeignOrigin(request, origins);
  });

  app.addHook('onResponse', async (request, reply) => keepTrail(services, request, reply));
  demandRoles(app);
}

function refuseByRole(request: FastifyRequest): void {
  const who = request.routeOptions.config.roles;
  if (who === 'open') return;
  const person = personOf(request);
  if (who === 'signed-in') return;
  if (!who || !hasRole(person, ...who)) throw new Fault('API_NOT_ALLOWED', { roles: (who ?? []).join(', ') });
}

const changing = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * Against cross-site requests: the cookie is SameSite=Strict, a change must be JSON (which a form cannot send), and where
 * the browser tells an origin it is ours. Programs send no Origin and carry no ambient cookie.
 */
function refuseForeignOrigin(request: FastifyRequest, origins: readonly string[]): void {
  const upgrade = request.headers.upgrade !== undefined;
  if (!changing.has(request.method) && !upgrade) return;
  const { origin } = request.headers;
  if (origin !== undefined && !isOwnOrigin(origin, request.host, origins)) throw new Fault('API_ORIGIN');
  const site = request.headers['sec-fetch-site'];
  if (site === 'cross-site') throw new Fault('API_ORIGIN');
  if (upgrade || request.method === 'DELETE') return;
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) throw new Fault('API_CONTENT_TYPE');
}

export function isOwnOrigin(origin: string, host: string, origins: readonly string[]): boolean {
  if (origins.includes(origin)) return true;
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}

/**
 * Every change and every refusal by right leaves a line: who, from where, on what id, with which outcome. What changed
 * from what to what is written by the room that changed it.
 */
function keepTrail(services: Services, request: FastifyRequest, reply: FastifyReply): void {
  const refused = reply.statusCode === 401 || reply.statusCode === 403;
  if (!changing.has(request.method) && !refused) return;
  const { url } = request.routeOptions;
  const params = request.params as { id?: string } | undefined;
  services.audit.record({
    by: request.person?.id ?? 'nobody',
    act: `${request.method} ${url ?? 'unknown route'}`,
    on: params?.id,
    outcome: request.problemCode ?? String(reply.statusCode),
    address: request.ip,
  });
}

/** Asked at ready, because a plugin's own hook may name the roles of the routes it brings (docs, screens). */
function demandRoles(app: FastifyInstance): void {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => {
    routes.push(route);
    if (route.config?.roles !== undefined) describeRoles(route, route.config.roles);
  });
  app.addHook('onReady', async () => {
    const mute = routes.find((route) => route.config?.roles === undefined);
    if (mute) throw new Fault('API_ROUTE_WITHOUT_ROLES', { route: `${String(mute.method)} ${mute.url}` });
  });
}

/** The route's own description ends with who may call it; `x-roles` says it to programs. */
function describeRoles(route: RouteOptions, who: WhoMay): void {
  const listed = who === 'open' ? [] : who === 'signed-in' ? [...allRoles] : [...who];
  const said = who === 'open' ? 'everybody' : who === 'signed-in' ? 'everybody signed in' : who.join(', ');
  const schema = route.schema as (Record<string, unknown> & { description?: string }) | undefined;
  route.schema = {
    ...schema,
    description: `${schema?.description ? `${schema.description} ` : ''}Who may: ${said}.`,
    'x-roles': listed,
  } as RouteOptions['schema'];
}
