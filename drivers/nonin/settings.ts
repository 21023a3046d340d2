import Type from 'typebox';
import { defineSettings } from '../driver.ts';
import { lineSchema, PortSchema } from '../transport/port.ts';

export const settings = defineSettings({
  name: 'nonin',
  title:
    'Nonin OEM III, Xpod, 9560 and 3150 pulse oximeters: data formats 2, 7 and 8 over serial or a device server',
  metrics: ['MDC_PULS_OXIM_SAT_O2', 'MDC_PULS_OXIM_PULS_RATE', 'MDC_PULS_OXIM_PLETH'],
  settings: Type.Object(
    {
      port: PortSchema,
      line: Type.Optional(lineSchema({ baudRate: 9600 })),
      format: Type.Union([Type.Literal('auto'), Type.Literal('2'), Type.Literal('7'), Type.Literal('8')], {
        default: 'auto',
        description: 'Data format set in the oximeter; auto finds it in the bytes',
      }),
      pleth: Type.Boolean({
        default: true,
        description: 'Whether the pleth wave of formats 2 and 7 is kept',
      }),
    },
    { additionalProperties: false },
  ),
});
