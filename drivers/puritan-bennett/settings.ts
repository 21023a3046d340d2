import Type from 'typebox';
import { defineSettings } from '../driver.ts';
import { lineSchema, PortSchema } from '../transport/port.ts';
import { numbers, texts } from './fields.ts';

const told = [numbers.A, numbers.F, texts.A, texts.F].flatMap((rows) => rows.map(({ metric }) => metric));

export const settings = defineSettings({
  name: 'puritan-bennett',
  title: 'Puritan Bennett 840 and 980 ventilators: SNDA and SNDF over serial or a device server',
  metrics: [...new Set(told), 'airway-flow-wave', 'airway-pressure-wave'],
  settings: Type.Object(
    {
      port: PortSchema,
      line: Type.Optional(lineSchema({ baudRate: 9600, rtscts: true })),
      request: Type.Union([Type.Literal('SNDF'), Type.Literal('SNDA'), Type.Literal('waves')], {
        default: 'SNDF',
        description:
          'SNDF tells more (169 fields); SNDA (97 fields) for older software; waves listens at the wave port (38400)',
      }),
      pollMs: Type.Integer({
        minimum: 500,
        maximum: 60_000,
        default: 2_000,
        description: 'Time between two readings',
      }),
      timeoutMs: Type.Integer({
        minimum: 100,
        maximum: 10_000,
        default: 3_000,
        description: 'Time a device may take until its next byte',
      }),
      timeZone: Type.Optional(
        Type.String({
          maxLength: 64,
          description:
            'Zone of the device clock (Asia/Shanghai or +08:00); without it the device clock is not used',
        }),
      ),
    },
    { additionalProperties: false },
  ),
});
