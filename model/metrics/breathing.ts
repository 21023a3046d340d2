import type { Metric } from '../metric.ts';
import { derived, family, noLoinc, noMdc, oneSource, type Family } from './row.ts';

const rate: Family = { unit: '/min', span: [0, 200], decimals: 0, periodMs: 1_000, quantity: 'respiration' };
// Ventilators and gas modules are asked by their driver; 5 s is the slowest pace of the drivers here.
const asked = { periodMs: 5_000 } as const;
const gasPercent = { unit: '%', span: [0, 100], decimals: 1, ...asked, quantity: 'other' } as const;
// Ventilators state airway pressures from -20 to 120 cm[H2O]; alarms and coughs reach further.
const airway = { unit: 'cm[H2O]', span: [-50, 150], decimals: 1, ...asked } as const;
const vent: Family = { ...rate, ...asked, quantity: 'vent-rate' };
const oneFile = 'MDC code from one code file; no LOINC code found';

/** Breathing, gases and ventilation. */
export const breathing: readonly Metric[] = [
  ...family(rate, [
    ['MDC_RESP_RATE', 151562, '9279-1', 'RR', 'Respiratory rate', '呼吸频率'],
    ['MDC_TTHOR_RESP_RATE', 151578, '9279-1', 'RR', 'Respiratory rate (impedance)', '呼吸频率（阻抗）'],
    ['MDC_CO2_RESP_RATE', 151594, '9279-1', 'RRc', 'Respiratory rate (CO2)', '呼吸频率（二氧化碳）'],
    ['MDC_AWAY_RESP_RATE', 151570, '9279-1', 'awRR', 'Respiratory rate (airway)', '气道呼吸频率', derived],
    [
      'MDC_PULS_OXIM_PLETH_RESP_RATE',
      151658,
      '9279-1',
      'RRp',
      'Respiratory rate (pleth)',
      '呼吸频率（容积脉搏波）',
      'MDC code from one wire capture',
    ],
  ]),
  ...family({ unit: 'mm[Hg]', span: [0, 150], decimals: 0, periodMs: 1_000, quantity: 'etco2' }, [
    ['MDC_CONC_AWAY_CO2_ET', 151708, '19891-1', 'etCO2', 'End-tidal CO2', '呼气末二氧化碳'],
    [
      'MDC_AWAY_CO2_ET',
      151728,
      '19891-1',
      'etCO2',
      'End-tidal CO2 (airway)',
      '呼气末二氧化碳（气道）',
      derived,
    ],
    [
      'MDC_CONC_AWAY_CO2_EXP',
      151712,
      '',
      'CO2-E',
      'Expired CO2',
      '呼出二氧化碳',
      'seen from one maker, who means the end-tidal value',
    ],
  ]),
  ...family({ unit: 'mm[Hg]', span: [0, 150], decimals: 0, periodMs: 1_000, quantity: 'other' }, [
    ['MDC_CONC_AWAY_CO2_INSP', 151716, '', 'FiCO2', 'Inspired CO2', '吸入二氧化碳', noLoinc],
  ]),
  // Stated in % by some ventilators: mm[Hg] of it needs the ambient pressure, which is not always told.
  ...family({ unit: '%', span: [0, 20], decimals: 1, ...asked, quantity: 'other' }, [
    [
      'co2-end-tidal-percent',
      null,
      '',
      'etCO2%',
      'End-tidal CO2 (per cent)',
      '呼气末二氧化碳（百分比）',
      noMdc,
    ],
    ['co2-inspired-percent', null, '', 'FiCO2%', 'Inspired CO2 (per cent)', '吸入二氧化碳（百分比）', noMdc],
  ]),
  // Kept in %: of the two LOINC codes the measured one is exampled with the unit 1, the set one with %.
  ...family({ unit: '%', span: [0, 100], decimals: 0, ...asked, quantity: 'fio2' }, [
    ['MDC_CONC_AWAY_O2_INSP', 152196, '71835-3', 'FiO2', 'Inspired oxygen (FiO2)', '吸入氧浓度'],
    ['fio2-set', null, '19994-3', 'FiO2-set', 'Inspired oxygen, set', '设定吸入氧浓度', noMdc],
  ]),
  ...family(gasPercent, [
    ['MDC_CONC_AWAY_O2_ET', 152440, '', 'etO2', 'End-tidal oxygen', '呼气末氧浓度', oneFile],
    ['n2o-end-tidal', null, '', 'etN2O', 'End-tidal nitrous oxide', '呼气末氧化亚氮', noMdc],
    ['n2o-inspired', null, '', 'FiN2O', 'Inspired nitrous oxide', '吸入氧化亚氮', noMdc],
    ['agent-end-tidal', null, '', 'etAA', 'End-tidal anaesthetic agent', '呼气末麻醉气体', noMdc],
    ['agent-inspired', null, '', 'FiAA', 'Inspired anaesthetic agent', '吸入麻醉气体', noMdc],
  ]),
  ...family({ unit: '1', span: [0, 10], decimals: 1, ...asked, quantity: 'other' }, [
    ['MDC_CONC_MAC', 152872, '', 'MAC', 'Minimum alveolar concentration', '最低肺泡有效浓度', oneFile],
  ]),
  ...family({ unit: '1', decimals: 0, ...asked, quantity: 'other', value: 'code' }, [
    ['agent', null, '', 'Agent', 'Anaesthetic agent', '麻醉气体种类', noMdc],
  ]),
  ...family({ unit: 'kPa', span: [50, 120], decimals: 1, ...asked, quantity: 'environment' }, [
    ['ambient-pressure', null, '', 'Pamb', 'Ambient pressure', '大气压', noMdc],
  ]),
  ...family({ ...airway, quantity: 'peep' }, [
    ['MDC_VENT_PRESS_AWAY_END_EXP_POS', 151976, '76248-4', 'PEEP', 'PEEP', '呼气末正压'],
    ['peep-set', null, '', 'PEEP-set', 'PEEP, set', '设定呼气末正压', noMdc],
    ['peep-intrinsic', null, '', 'iPEEP', 'Intrinsic PEEP', '内源性呼气末正压', noMdc],
  ]),
  ...family({ ...airway, quantity: 'airway-pressure' }, [
    ['MDC_VENT_PRESS_AWAY_MAX', 151973, '76531-3', 'Ppeak', 'Peak airway pressure', '气道峰压'],
    ['MDC_VENT_PRESS_AWAY_MEAN', 151975, '76530-5', 'Pmean', 'Mean airway pressure', '气道平均压'],
    ['MDC_VENT_PRESS_RESP_PLAT', 152424, '', 'Pplat', 'Plateau pressure', '平台压', 'LOINC unconfirmed'],
    ['airway-pressure-min', null, '', 'Pmin', 'Minimum airway pressure', '气道最低压', noMdc],
    ['end-inspiratory-pressure', null, '', 'Pei', 'End-inspiratory pressure', '吸气末压', noMdc],
  ]),
  // Adult ventilators state up to 3000 mL.
  ...family({ unit: 'mL', span: [0, 4_000], decimals: 0, ...asked, quantity: 'tidal-volume' }, [
    ['MDC_VENT_VOL_TIDAL', 151980, '76222-9', 'VT', 'Tidal volume (ventilator)', '潮气量'],
    ['MDC_VENT_VOL_TIDAL_SETTING', 16929196, '20112-9', 'VT-set', 'Tidal volume, set', '设定潮气量'],
    [
      'MDC_VOL_AWAY_TIDAL',
      151868,
      '',
      'VTe',
      'Expired tidal volume',
      '呼出潮气量',
      `${oneSource}; ${noLoinc}`,
    ],
    ['tidal-volume-inspired', null, '', 'VTi', 'Inspired tidal volume', '吸入潮气量', noMdc],
  ]),
  ...family({ unit: 'L/min', span: [0, 100], decimals: 1, ...asked, quantity: 'minute-volume' }, [
    ['MDC_VOL_MINUTE_AWAY', 151880, '', 'MV', 'Minute volume', '分钟通气量'],
    [
      'MDC_VENT_VOL_MINUTE_INSP',
      152004,
      '76009-0',
      'MVi',
      'Inspired minute volume',
      '吸入分钟通气量',
      'reference id from one source',
    ],
    ['minute-volume-spontaneous', null, '', 'MVspn', 'Spontaneous minute volume', '自主分钟通气量', noMdc],
  ]),
  ...family({ unit: 'L/min', span: [-300, 300], decimals: 1, ...asked, quantity: 'other' }, [
    ['peak-flow-set', null, '', 'Flow-set', 'Peak flow, set', '设定峰流速', noMdc],
  ]),
  ...family(vent, [
    ['MDC_VENT_RESP_RATE', 151586, '33438-3', 'fvent', 'Ventilation rate', '通气频率'],
    ['MDC_VENT_RESP_BTSD_P_RATE', 152498, '', 'fspn', 'Spontaneous rate', '自主呼吸频率'],
    [
      'MDC_VENT_RESP_BTSD_PSAZC_RATE',
      152490,
      '19840-8',
      'ftot',
      'Total rate on the ventilator',
      '总呼吸频率',
    ],
    ['vent-rate-set', null, '', 'f-set', 'Ventilation rate, set', '设定通气频率', noMdc],
  ]),
  ...family({ unit: 'mL/cm[H2O]', span: [0, 500], decimals: 1, ...asked, quantity: 'other' }, [
    ['MDC_COMPL_LUNG', 151688, '', 'C', 'Compliance', '顺应性', oneFile],
  ]),
  ...family({ unit: 'cm[H2O].s/L', span: [0, 1_000], decimals: 1, ...asked, quantity: 'other' }, [
    ['MDC_RES_AWAY', 151840, '', 'R', 'Airway resistance', '气道阻力', oneFile],
  ]),
  ...family({ unit: '1', span: [0, 100], decimals: 2, ...asked, quantity: 'other' }, [
    ['expiratory-part', null, '', 'I:E', 'Expiratory part of I:E (1:x)', '吸呼比（1:x）', noMdc],
  ]),
  ...family({ unit: 's', span: [0, 120], decimals: 0, ...asked, quantity: 'other' }, [
    ['apnoea-interval-set', null, '', 'Apn-set', 'Apnoea interval, set', '设定窒息时间', noMdc],
    ['time-since-breath', null, '', 'Tbr', 'Time since the last breath', '距上次呼吸时间', noMdc],
  ]),
  ...family({ unit: '1', decimals: 0, quantity: 'other', value: 'text' }, [
    ['vent-mode', null, '', 'Mode', 'Ventilation mode', '通气模式', noMdc],
    ['vent-type', null, '', 'Type', 'Ventilation type', '通气类型', noMdc],
  ]),
  // Charted by hand: without one of the two a NEWS2 cannot be charted.
  ...family({ unit: 'L/min', span: [0, 100], decimals: 1, episodic: true, quantity: 'oxygen' }, [
    ['oxygen-flow', null, '3151-8', 'O2', 'Oxygen flow', '吸氧流量', noMdc],
  ]),
  ...family({ unit: '%', span: [0, 100], decimals: 0, episodic: true, quantity: 'oxygen' }, [
    ['oxygen-inspired', null, '3150-6', 'O2', 'Inspired oxygen (charted)', '吸入氧浓度（录入）', noMdc],
  ]),
  ...family({ unit: 'Cel', span: [0, 50], decimals: 1, ...asked, quantity: 'other' }, [
    ['airway-temperature', null, '', 'Taw', 'Airway temperature', '气道温度', noMdc],
  ]),
];
