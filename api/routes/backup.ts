import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { personOf } from '../auth.ts';
import { settle } from '../problems.ts';
import type { Services } from '../services.ts';
import { JobShape } from '../shapes/job.ts';
import { record } from '../shapes/shape.ts';

/** A backup on demand; restoring is done on the machine itself, with no gateway at work. */
export const backupRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (app, { services }) => {
  app.post(
    '/backup',
    {
      config: { roles: ['admin'] },
      schema: {
        tags: ['administration'],
        summary: 'Make an encrypted backup while Vigil runs',
        description:
          'Answers the job; its result names the file in the folder `backup.folder` of the configuration. Sealed with ' +
          'the passphrase, or with the key file `backup.keyFile`: there is no default key. 409 `no-folder`, `no-key` ' +
          'or `too-many-jobs`.',
        body: record({ passphrase: Type.Optional(Type.String({ minLength: 12, maxLength: 256 })) }),
        response: { 202: JobShape },
      },
    },
    async (request, reply) => {
      const job = settle(services.backup.start(personOf(request), request.body.passphrase));
      void reply.code(202).header('location', `/api/v1/jobs/${job.id}`);
      return job;
    },
  );
};
