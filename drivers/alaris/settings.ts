import Type from 'typebox';
import { defineSettings } from '../driver.ts';
import { lineSchema, PortSchema } from '../transport/port.ts';

export const settings = defineSettings({
  name: 'alaris',
  title: 'Alaris GH and Asena syringe pumps: serial or a device server, reading only',
  metrics: [
    'MDC_FLOW_FLUID_PUMP_CURRENT',
    'MDC_VOL_FLUID_DELIV',
    'MDC_VOL_FLUID_TBI',
    'line-pressure',
    'infusion-time-left',
    'syringe-size',
    'pump-mode',
    'pump-drug',
  ],
  settings: Type.Object(
    {
      port: PortSchema,
      line: Type.Optional(lineSchema({ baudRate: 38_400 })),
      pollMs: Type.Integer({
        minimum: 500,
        maximum: 60_000,
        default: 2_000,
        description: 'Time between two readings',
      }),
      timeoutMs: Type.Integer({
        minimum: 100,
        maximum: 10_000,
        default: 2_000,
        description: 'Time the pump may take until its next byte',
      }),
    },
    { additionalProperties: false },
  ),
});
