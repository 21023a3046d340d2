import Type from 'typebox';
import { defineSettings } from '../driver.ts';
import { lineSchema, PortSchema } from '../transport/port.ts';
import { numbers, statusMetric } from './params.ts';

const told = [...numbers.values()].map(({ metric }) => metric);

export const settings = defineSettings({
  name: 'bbraun-space',
  title: 'B. Braun Space pumps in a rack: BCC over TCP 4001 or serial, one channel a pump',
  // The channel of each is the pump's place in the rack: pillar and slot.
  metrics: [...new Set([...told, 'pump-drug', 'dose-rate-unit', statusMetric])],
  settings: Type.Object(
    {
      port: PortSchema,
      line: Type.Optional(lineSchema({ baudRate: 9600 })),
      bedId: Type.String({
        pattern: '^[A-Za-z0-9_-]{1,32}$',
        default: '1',
        description: 'Bed id of the requests',
      }),
      stuffing: Type.Boolean({
        default: true,
        description: 'Character stuffing as set at the rack; what is received is read either way',
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
        description: 'Time the rack may take until its next byte',
      }),
    },
    { additionalProperties: false },
  ),
});
