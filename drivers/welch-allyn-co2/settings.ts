import Type from 'typebox';
import { defineSettings } from '../driver.ts';
import { lineSchema, PortSchema } from '../transport/port.ts';

export const settings = defineSettings({
  name: 'welch-allyn-co2',
  title: 'Welch Allyn LC101 and Duet CO2 modules: text frames over serial or a device server',
  metrics: ['MDC_CONC_AWAY_CO2_ET', 'MDC_CONC_AWAY_CO2_INSP', 'MDC_CO2_RESP_RATE', 'co2-wave'],
  settings: Type.Object(
    {
      port: PortSchema,
      line: Type.Optional(lineSchema({ baudRate: 9600 })),
      wavePeriodMs: Type.Optional(
        Type.Number({
          minimum: 1,
          maximum: 1_000,
          description:
            'Time between two CO2 samples; given, the CO2 wave is kept (the frames do not tell it)',
        }),
      ),
    },
    { additionalProperties: false },
  ),
});
