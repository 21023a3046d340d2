import Type from 'typebox';
import { defineSettings } from '../driver.ts';
import { lineSchema, PortSchema } from '../transport/port.ts';
import { deviceSettings, measured1, measured2 } from './tables.ts';

const told = [measured1, measured2, deviceSettings].flatMap((table) =>
  [...table.values()].map(({ metric }) => metric),
);

export const settings = defineSettings({
  name: 'medibus',
  title: 'Dräger Evita, Apollo, Fabius, Primus: MEDIBUS over serial or a device server',
  metrics: [...new Set([...told, 'vent-mode'])],
  settings: Type.Object(
    {
      port: PortSchema,
      line: Type.Optional(lineSchema({ baudRate: 19_200, parity: 'even' })),
      pollMs: Type.Integer({
        minimum: 500,
        maximum: 60_000,
        default: 2_000,
        description: 'Time between two observations',
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
