import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Fault } from '../../model/fault.ts';
import type { PatientId } from '../../model/ids.ts';
import type { Person } from '../../model/person.ts';
import { personOf, sees } from '../auth.ts';
import { settle } from '../problems.ts';
import type { Services } from '../services.ts';
import { PatientShape } from '../shapes/census.ts';
import { OpaqueId, record, text } from '../shapes/shape.ts';

const Id = record({ id: OpaqueId });
const Answer = record({ patient: PatientShape });
const placing = ['charge-nurse', 'platform'] as const;

/** Who a patient turned out to be. */
export const patientRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (app, { services }) => {
  const { census } = services;
  const tags = ['encounters'];

  app.post(
    '/patients/:id/merge',
    {
      config: { roles: placing },
      schema: {
        tags,
        summary: 'The patient turned out to be another one',
        description:
          'A temporary patient becomes the known one: all stays and values are found under the other from now on, and ' +
          'under this id too. Taken back by unmerge.',
        params: Id,
        body: record({ into: OpaqueId, reason: text(256) }),
        response: { 200: Answer },
      },
    },
    async (request) => {
      const person = personOf(request);
      const { into, reason } = request.body;
      patientInSight(services, person, request.params.id);
      patientInSight(services, person, into);
      return { patient: settle(await census.merge(person, request.params.id, into, reason)) };
    },
  );

  app.post(
    '/patients/:id/unmerge',
    {
      config: { roles: placing },
      schema: {
        tags,
        summary: 'Take a merge back',
        params: Id,
        body: record({ reason: text(256) }),
        response: { 200: Answer },
      },
    },
    async (request) => {
      const person = personOf(request);
      patientInSight(services, person, request.params.id);
      return { patient: settle(await census.unmerge(person, request.params.id, request.body.reason)) };
    },
  );
};

/** A patient is in sight when every stay of theirs is. */
export function patientInSight({ census }: Services, person: Person, patient: PatientId): void {
  const stays = census.encounters({ patient });
  if (stays.length === 0 || !stays.every((stay) => sees(person, stay.ward)))
    throw new Fault('API_NOT_FOUND', { what: 'patient' });
}
