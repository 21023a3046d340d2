import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { IdSchema } from '../../model/ids.ts';
import { personOf, sees } from '../auth.ts';
import { formatOf } from '../export.ts';
import type { Services } from '../services.ts';
import { record, words } from '../shapes/shape.ts';

const keeping = ['biomed'] as const;
const Line = record({
  line: Type.Integer(),
  id: Type.Optional(Type.String()),
  outcome: words(['registers', 'changes', 'same', 'refused'] as const),
  errors: Type.Array(record({ path: Type.String(), cause: Type.String() })),
});

/** Devices as a spreadsheet: out, and in again. */
export const deviceListRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (
  app,
  { services },
) => {
  const { devices } = services;
  const tags = ['devices'];

  app.get(
    '/device-list',
    {
      config: { roles: keeping },
      schema: {
        tags,
        summary: 'Devices of your wards as CSV',
        description:
          'As text where text/csv is asked for. The same file can be imported again; secrets are not in it.',
        querystring: record({ ward: Type.Optional(IdSchema) }),
        response: { 200: record({ csv: Type.String() }) },
      },
    },
    async (request, reply) => {
      const person = personOf(request);
      const seen = devices.devices(request.query).filter((device) => sees(person, device.ward));
      const csv = devices.exportCsv(seen);
      if (formatOf(request.headers.accept) !== 'csv') return { csv };
      void reply
        .type('text/csv; charset=utf-8; header=present')
        .header('content-disposition', 'attachment; filename="devices.csv"')
        .serializer((text: string) => text);
      return csv as never;
    },
  );

  app.post(
    '/device-list',
    {
      config: { roles: keeping },
      schema: {
        tags,
        summary: 'Register or change devices from CSV',
        description:
          'Each line stands for itself; empty cells leave what is there. With dryRun nothing is changed and the answer says what would be.',
        body: record({ csv: Type.String({ maxLength: 900_000 }), dryRun: Type.Boolean() }),
        response: { 200: record({ dryRun: Type.Boolean(), lines: Type.Array(Line) }) },
      },
    },
    async (request) => {
      const { dryRun, lines } = await devices.importCsv(personOf(request), request.body);
      return { dryRun, lines: lines.map((line) => ({ ...line, errors: [...line.errors] })) };
    },
  );
};
