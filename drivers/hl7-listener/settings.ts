import Type, { type Static } from 'typebox';
import { defineSettings } from '../driver.ts';

export const vendors = [
  'auto',
  'generic',
  'mindray',
  'ge',
  'philips',
  'nihon-kohden',
  'comen',
  'xh80x',
] as const;

/** What tells one device from the others behind the same port. */
const KeySchema = Type.Object(
  {
    application: Type.String({
      minLength: 1,
      maxLength: 128,
      description: 'Sending application, MSH-3, whole or its first component',
    }),
    equipment: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        description: 'Equipment of the monitor, OBX-18, whole or its first component',
      }),
    ),
    location: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        description: 'Where the sender says the monitor stands, PV1-3; counts where it tells no equipment',
      }),
    ),
  },
  { additionalProperties: false, description: 'A test shows the senders that nobody has registered' },
);
export type Key = Static<typeof KeySchema>;

export const settings = defineSettings({
  name: 'hl7-listener',
  title:
    'Monitors and centrals that push HL7 v2 over MLLP: Mindray, GE, Nihon Kohden, Comen, any PCD-01 and PCD-04',
  metrics: ['*'],
  settings: Type.Object(
    {
      bind: Type.Object(
        {
          address: Type.String({
            minLength: 1,
            maxLength: 64,
            pattern: '^[A-Za-z0-9.:@_-]+$',
            description:
              'Address or name of the network interface to listen on; several devices may share it',
          }),
          port: Type.Integer({ minimum: 0, maximum: 65_535, default: 2575 }),
        },
        { additionalProperties: false },
      ),
      key: KeySchema,
      vendor: Type.Union(
        vendors.map((vendor) => Type.Literal(vendor)),
        {
          default: 'auto',
          description: 'Whose codes and no-value numbers; auto: by what MSH-3 and MSH-4 say',
        },
      ),
      timeZone: Type.Optional(
        Type.String({
          maxLength: 64,
          description: 'Zone of times sent without one (Asia/Shanghai or +08:00)',
        }),
      ),
    },
    { additionalProperties: false },
  ),
});
export type Vendor = Exclude<(typeof vendors)[number], 'auto'>;
