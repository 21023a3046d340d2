import Type from 'typebox';
import { defineSettings } from '../driver.ts';
import { lineSchema, PortSchema } from '../transport/port.ts';

export const settings = defineSettings({
  name: 'nellcor',
  title: 'Nellcor N-560 and N-595 pulse oximeters: text output over serial or a device server',
  metrics: ['MDC_PULS_OXIM_SAT_O2', 'MDC_PULS_OXIM_PULS_RATE', 'pulse-amplitude'],
  settings: Type.Object(
    {
      port: PortSchema,
      line: Type.Optional(lineSchema({ baudRate: 9600 })),
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
