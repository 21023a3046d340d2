import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import Type from 'typebox';
import { Fault } from '../../model/fault.ts';
import { cookieName, personOf } from '../auth.ts';
import { intendedUse } from '../../model/intended-use.ts';
import { settle } from '../problems.ts';
import type { Services } from '../services.ts';
import { NameShape, PasswordShape, PersonShape, UserShape } from '../shapes/person.ts';
import { record } from '../shapes/shape.ts';

const SignedIn = record({ person: PersonShape, intendedUse: Type.String(), demo: Type.Boolean() });

export interface SessionOptions {
  readonly services: Services;
  readonly secure: boolean;
  readonly signInsPerMinute: number;
}

/** First start, sign-in and sign-out. The session is a cookie scripts cannot read and other sites cannot send. */
export const sessionRoutes: FastifyPluginAsyncTypebox<SessionOptions> = async (app, options) => {
  const { services, secure, signInsPerMinute } = options;
  const { identity, demo } = services;
  const cookie = cookieName(secure);
  const attributes = { path: '/', httpOnly: true, sameSite: 'strict', secure } as const;
  const rateLimit = { max: signInsPerMinute, timeWindow: 60_000 };

  const start = async (reply: FastifyReply, asked: { user: string; password: string; address: string }) => {
    const answer = await identity.signIn(asked);
    if (answer === 'locked') throw new Fault('API_SIGN_IN_LOCKED');
    if (answer === 'refused') throw new Fault('API_SIGN_IN_REFUSED');
    void reply.setCookie(cookie, answer.secret, attributes);
    return { person: answer.person, intendedUse, demo };
  };

  app.post(
    '/setup',
    {
      config: { roles: 'open', rateLimit },
      schema: {
        tags: ['session'],
        summary: 'Make the first administrator',
        description: 'With the one-time token printed at the first start; it is good for 15 minutes.',
        body: record({
          token: Type.String({ minLength: 1, maxLength: 256 }),
          user: UserShape,
          name: NameShape,
          password: PasswordShape,
        }),
        response: { 201: record({ person: PersonShape, intendedUse: Type.String() }) },
      },
    },
    async (request, reply) => {
      const person = settle(await identity.setup(request.body));
      void reply.code(201);
      return { person, intendedUse };
    },
  );

  app.get(
    '/setup',
    {
      config: { roles: 'open' },
      schema: {
        tags: ['session'],
        summary: 'Whether the first administrator is still to be made',
        response: { 200: record({ open: Type.Boolean(), intendedUse: Type.String(), demo: Type.Boolean() }) },
      },
    },
    async () => ({ open: identity.setupOpen, intendedUse, demo }),
  );

  app.post(
    '/session',
    {
      config: { roles: 'open', rateLimit },
      schema: {
        tags: ['session'],
        summary: 'Sign in',
        description:
          'Five failures and this account rests for 10 minutes at this address. The session ends 15 minutes after the ' +
          'last request or open stream, and 12 hours after sign-in.',
        body: record({ user: Type.String({ minLength: 1, maxLength: 64 }), password: PasswordShape }),
        response: { 200: SignedIn },
      },
    },
    async (request, reply) => start(reply, { ...request.body, address: request.ip }),
  );

  app.get(
    '/session',
    {
      config: { roles: 'signed-in' },
      schema: { tags: ['session'], summary: 'Who is signed in', response: { 200: SignedIn } },
    },
    async (request) => ({ person: personOf(request), intendedUse, demo }),
  );

  app.delete(
    '/session',
    {
      config: { roles: 'signed-in' },
      schema: { tags: ['session'], summary: 'Sign out', response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      if (request.sessionSecret !== undefined) identity.signOut(request.sessionSecret);
      void reply.clearCookie(cookie, attributes).code(204);
      return null;
    },
  );
};
