import Type from 'typebox';
import { defineSettings } from '../driver.ts';
import { foreignSettings } from '../transport/foreign.ts';

/** Characteristics that are read, by their 16-bit number; 6e400003 is the notify of the PC-60FW's own service. */
export const characteristics = [
  '2a37',
  '2a5e',
  '2a5f',
  '2a35',
  '2a1c',
  '2a9d',
  '2a18',
  '2aa7',
  '6e400003',
] as const;
export type Characteristic = (typeof characteristics)[number];

export const settings = defineSettings({
  name: 'wearable-gatt',
  title:
    'Bluetooth health profiles (heart rate, oximeter, blood pressure, thermometer, scale, glucose) and PC-60FW, forwarded over MQTT',
  metrics: [
    'MDC_ECG_HEART_RATE',
    'rr-interval',
    'MDC_PULS_OXIM_SAT_O2',
    'MDC_PULS_OXIM_PULS_RATE',
    'MDC_BLD_PERF_INDEX',
    'MDC_PRESS_BLD_NONINV_SYS',
    'MDC_PRESS_BLD_NONINV_DIA',
    'MDC_PRESS_BLD_NONINV_MEAN',
    'MDC_PULS_RATE_NON_INV',
    'MDC_TEMP_BODY',
    'MDC_TEMP_AXIL',
    'MDC_TEMP_TYMP',
    'MDC_TEMP_ORAL',
    'MDC_TEMP_RECT',
    'MDC_TEMP_CORE',
    'MDC_TEMP_SKIN',
    'MDC_MASS_BODY_ACTUAL',
    'MDC_ATTR_PT_HEIGHT',
    'MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD',
    'glucose-tissue',
  ],
  settings: Type.Object(
    {
      ...foreignSettings,
      characteristic: Type.Optional(
        Type.Union(
          characteristics.map((each) => Type.Literal(each)),
          {
            description:
              'Which characteristic the bytes are of, where the last level of the topic does not say it',
          },
        ),
      ),
      encoding: Type.Union([Type.Literal('bytes'), Type.Literal('hex'), Type.Literal('base64')], {
        default: 'bytes',
        description: 'How the gateway on the ward writes the bytes of a notification',
      }),
      timeZone: Type.Optional(
        Type.String({
          maxLength: 64,
          description:
            'Zone of the times in the packets (Asia/Shanghai or +08:00); without it a value that says its own time is timed by its arrival and marked',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  foreign: ({ topics, sender }) => ({ topics, ...(sender !== undefined && { sender }) }),
});
