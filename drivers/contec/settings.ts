import Type from 'typebox';
import { defineSettings } from '../driver.ts';
import { lineSchema, PortSchema } from '../transport/port.ts';

export const settings = defineSettings({
  name: 'contec',
  title: 'Contec CMS50D+ pulse oximeter (firmware 4.6): frames of nine bytes over its USB serial port',
  metrics: ['MDC_PULS_OXIM_SAT_O2', 'MDC_PULS_OXIM_PULS_RATE', 'MDC_PULS_OXIM_PLETH'],
  settings: Type.Object(
    {
      port: PortSchema,
      line: Type.Optional(lineSchema({ baudRate: 115_200 })),
      pleth: Type.Boolean({ default: true, description: 'Whether the pleth wave is kept' }),
    },
    { additionalProperties: false },
  ),
});
