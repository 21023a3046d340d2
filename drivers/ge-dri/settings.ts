import Type from 'typebox';
import { defineSettings } from '../driver.ts';
import { lineSchema, PortSchema } from '../transport/port.ts';
import { pressureMetrics } from './pressures.ts';

export const settings = defineSettings({
  name: 'ge-dri',
  title: 'GE and Datex-Ohmeda S/5, CARESCAPE monitors: DRI (S/5 computer interface) over serial',
  metrics: [
    'MDC_ECG_HEART_RATE',
    'MDC_ECG_AMPL_ST',
    'MDC_TTHOR_RESP_RATE',
    ...pressureMetrics,
    'MDC_PRESS_BLD_NONINV_SYS',
    'MDC_PRESS_BLD_NONINV_DIA',
    'MDC_PRESS_BLD_NONINV_MEAN',
    'MDC_PULS_RATE_NON_INV',
    'MDC_TEMP',
    'MDC_PULS_OXIM_SAT_O2',
    'MDC_PULS_OXIM_PULS_RATE',
    'MDC_PULS_OXIM_PERF_REL',
    'svo2',
    'MDC_CONC_AWAY_CO2_ET',
    'MDC_CONC_AWAY_CO2_INSP',
    'MDC_CO2_RESP_RATE',
    'ambient-pressure',
    'MDC_CONC_AWAY_O2_ET',
    'MDC_CONC_AWAY_O2_INSP',
    'n2o-end-tidal',
    'n2o-inspired',
    'agent',
    'agent-end-tidal',
    'agent-inspired',
    'MDC_CONC_MAC',
    'MDC_VENT_RESP_RATE',
    'MDC_VENT_PRESS_AWAY_MAX',
    'MDC_VENT_PRESS_AWAY_END_EXP_POS',
    'MDC_VENT_PRESS_RESP_PLAT',
    'tidal-volume-inspired',
    'MDC_VOL_AWAY_TIDAL',
    'MDC_COMPL_LUNG',
    'MDC_VOL_MINUTE_AWAY',
    'MDC_ECG_ELEC_POTL',
    'MDC_PRESS_BLD',
    'MDC_PULS_OXIM_PLETH',
    'co2-wave',
    'MDC_RESP',
  ],
  settings: Type.Object(
    {
      port: PortSchema,
      line: Type.Optional(lineSchema({ baudRate: 19_200, parity: 'even', rtscts: true })),
      intervalS: Type.Integer({
        minimum: 5,
        maximum: 60,
        default: 5,
        description: 'How often the monitor sends its displayed values; 5 s is the fastest it knows',
      }),
      timeZone: Type.Optional(
        Type.String({
          maxLength: 64,
          description: 'Zone of the monitor clock, where its seconds count local time',
        }),
      ),
      waves: Type.Array(
        Type.Union(
          (['ecg1', 'ecg2', 'ecg3', 'p1', 'p2', 'p3', 'p4', 'pleth', 'co2', 'resp'] as const).map((name) =>
            Type.Literal(name),
          ),
        ),
        { default: [], maxItems: 7, description: 'Waves to ask for; 600 samples a second in total' },
      ),
    },
    { additionalProperties: false },
  ),
});

/** Names of the settings, as the types of the protocol. */
export const waveNumbers = {
  ecg1: 1,
  ecg2: 2,
  ecg3: 3,
  p1: 4,
  p2: 5,
  p3: 6,
  p4: 7,
  pleth: 8,
  co2: 9,
  resp: 15,
} as const;
