import Type from 'typebox';
import { defineSettings } from '../driver.ts';
import { lineSchema, PortSchema } from '../transport/port.ts';

export const settings = defineSettings({
  name: 'capnostream',
  title: 'Oridion Capnostream 20 bedside monitor: capnography and oximetry over serial or a device server',
  metrics: [
    'MDC_CONC_AWAY_CO2_ET',
    'MDC_CONC_AWAY_CO2_INSP',
    'MDC_CO2_RESP_RATE',
    'MDC_PULS_OXIM_SAT_O2',
    'MDC_PULS_OXIM_PULS_RATE',
    'co2-wave',
  ],
  settings: Type.Object(
    {
      port: PortSchema,
      line: Type.Optional(lineSchema({ baudRate: 115_200 })),
      timeZone: Type.Optional(
        Type.String({
          maxLength: 64,
          description:
            'Zone of the device clock (Asia/Shanghai or +08:00); without it the device clock is not used',
        }),
      ),
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
