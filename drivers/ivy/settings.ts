import Type from 'typebox';
import { defineSettings } from '../driver.ts';
import { lineSchema, PortSchema } from '../transport/port.ts';

export const settings = defineSettings({
  name: 'ivy',
  title: 'Ivy 450C patient monitor: ANSAR-B output over serial',
  metrics: [
    'MDC_ECG_HEART_RATE',
    'MDC_RESP_RATE',
    'MDC_CONC_AWAY_CO2_ET',
    'MDC_PULS_OXIM_SAT_O2',
    'MDC_PULS_OXIM_PULS_RATE',
    'MDC_PRESS_BLD_NONINV_SYS',
    'MDC_PRESS_BLD_NONINV_DIA',
    'MDC_PRESS_BLD_NONINV_MEAN',
    'MDC_PULS_RATE_NON_INV',
    'MDC_PRESS_BLD_SYS',
    'MDC_PRESS_BLD_DIA',
    'MDC_PRESS_BLD_MEAN',
    'MDC_TEMP',
    'MDC_ECG_ELEC_POTL',
    'MDC_RESP',
    'MDC_PULS_OXIM_PLETH',
    'MDC_PRESS_BLD',
  ],
  settings: Type.Object(
    {
      port: PortSchema,
      line: Type.Optional(lineSchema({ baudRate: 9600 })),
      waves: Type.Boolean({ default: false, description: 'Waves too; their scales rest on one code base' }),
    },
    { additionalProperties: false },
  ),
});
