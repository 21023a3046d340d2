import type { Metric } from '../metric.ts';
import { derived, family, loincOneSource, noLoinc, noMdc, oneSource, type Family } from './row.ts';

// Spans are the instruments' full span (CLINICAL 2): 0 is inside it for rates, a pressure may be below 0.
const rate: Family = { unit: '/min', span: [0, 350], decimals: 0, periodMs: 1_000, quantity: 'heart-rate' };
const pressure = { unit: 'mm[Hg]', span: [-50, 400], decimals: 0 } as const;
const line = { ...pressure, periodMs: 1_000 } as const;
const cuff = { ...pressure, episodic: true } as const;
const percent = { unit: '%', span: [0, 100], decimals: 0, periodMs: 1_000 } as const;

const arterialLoinc = 'invasive LOINC from one source';
const stDoubt = 'LOINC and UCUM unconfirmed; devices also send mm';

/** Heart, pulse, saturation and pressures. */
export const circulation: readonly Metric[] = [
  ...family(rate, [
    ['MDC_ECG_HEART_RATE', 147842, '8867-4', 'HR', 'Heart rate', '心率'],
    [
      'MDC_PULS_OXIM_PULS_RATE',
      149530,
      '8889-8 8867-4',
      'PR',
      'Pulse rate (SpO2)',
      '脉率（血氧）',
      'LOINC from one family of mappings',
    ],
    ['MDC_PULS_RATE', 149514, '', 'PR', 'Pulse rate', '脉率'],
    ['MDC_BLD_PULS_RATE_INV', 149522, '', 'PR', 'Pulse rate (arterial line)', '脉率（有创血压）', oneSource],
  ]),
  ...family({ ...rate, periodMs: undefined, episodic: true }, [
    ['MDC_PULS_RATE_NON_INV', 149546, '8867-4', 'PR', 'Pulse rate (cuff)', '脉率（无创血压）'],
  ]),
  ...family({ ...percent, quantity: 'saturation' }, [
    ['MDC_PULS_OXIM_SAT_O2', 150456, '59408-5 2708-6', 'SpO2', 'Oxygen saturation (SpO2)', '血氧饱和度'],
  ]),
  // Blood gas, not SpO2: one source pairs it with the SpO2 code 59408-5, which is wrong.
  ...family(
    { ...percent, decimals: 1, periodMs: undefined, episodic: true, quantity: 'arterial-saturation' },
    [
      [
        'MDC_SAT_O2_ART',
        150324,
        '2708-6',
        'SaO2',
        'Arterial oxygen saturation (blood gas)',
        '动脉血氧饱和度',
      ],
    ],
  ),
  ...family({ ...percent, quantity: 'other' }, [
    ['svo2', null, '', 'SvO2', 'Venous oxygen saturation', '静脉血氧饱和度', noMdc],
    ['spco', null, '', 'SpCO', 'Carboxyhaemoglobin (SpCO)', '碳氧血红蛋白', noMdc],
    ['spmet', null, '', 'SpMet', 'Methaemoglobin (SpMet)', '高铁血红蛋白', noMdc],
    ['pleth-variability', null, '', 'PVI', 'Pleth variability index', '灌注变异指数', noMdc],
    ['desaturation-index', null, '', 'DESAT', 'Desaturation index', '氧减指数', noMdc],
  ]),
  // Masimo Rad-8 manual: perfusion index 0.02 to 20 %; a wider span keeps other makers' relative perfusion inside.
  ...family({ unit: '%', span: [0, 100], decimals: 1, periodMs: 1_000, quantity: 'perfusion' }, [
    ['MDC_BLD_PERF_INDEX', 150488, '61006-3', 'PI', 'Perfusion index', '灌注指数'],
    ['MDC_PULS_OXIM_PERF_REL', 150448, '61006-3', 'PI', 'Relative perfusion', '相对灌注', derived],
    ['perfusion-change', null, '', 'ΔPI', 'Perfusion index change', '灌注指数变化', noMdc],
  ]),
  // Nellcor N-560: a bare number without a unit, 0 to 254.
  ...family({ unit: '1', span: [0, 255], decimals: 0, periodMs: 2_000, quantity: 'perfusion' }, [
    ['pulse-amplitude', null, '', 'PA', 'Pulse amplitude', '脉搏幅度', noMdc],
  ]),
  ...family({ ...cuff, quantity: 'systolic' }, [
    ['MDC_PRESS_BLD_NONINV_SYS', 150021, '8480-6', 'NIBP-S', 'Systolic pressure (cuff)', '收缩压（无创）'],
    ['MDC_PRESS_CUFF_SYS', 150301, '8480-6', 'NIBP-S', 'Systolic cuff pressure', '收缩压（袖带）'],
  ]),
  ...family({ ...cuff, quantity: 'diastolic' }, [
    ['MDC_PRESS_BLD_NONINV_DIA', 150022, '8462-4', 'NIBP-D', 'Diastolic pressure (cuff)', '舒张压（无创）'],
    ['MDC_PRESS_CUFF_DIA', 150302, '8462-4', 'NIBP-D', 'Diastolic cuff pressure', '舒张压（袖带）'],
  ]),
  ...family({ ...cuff, quantity: 'mean-pressure' }, [
    ['MDC_PRESS_BLD_NONINV_MEAN', 150023, '8478-0', 'NIBP-M', 'Mean pressure (cuff)', '平均压（无创）'],
    ['MDC_PRESS_CUFF_MEAN', 150303, '8478-0', 'NIBP-M', 'Mean cuff pressure', '平均压（袖带）'],
  ]),
  ...family({ ...line, quantity: 'systolic' }, [
    [
      'MDC_PRESS_BLD_ART_ABP_SYS',
      150037,
      '76215-3 8480-6',
      'ABP-S',
      'Systolic arterial pressure (ABP)',
      '动脉收缩压',
      arterialLoinc,
    ],
    [
      'MDC_PRESS_BLD_ART_SYS',
      150033,
      '76215-3 8480-6',
      'ART-S',
      'Systolic arterial pressure (ART)',
      '动脉收缩压（ART）',
      arterialLoinc,
    ],
    [
      'MDC_PRESS_BLD_SYS',
      150017,
      '76215-3 8480-6',
      'IBP-S',
      'Systolic invasive pressure',
      '有创收缩压',
      arterialLoinc,
    ],
  ]),
  ...family({ ...line, quantity: 'diastolic' }, [
    [
      'MDC_PRESS_BLD_ART_ABP_DIA',
      150038,
      '76213-8 8462-4',
      'ABP-D',
      'Diastolic arterial pressure (ABP)',
      '动脉舒张压',
      arterialLoinc,
    ],
    [
      'MDC_PRESS_BLD_ART_DIA',
      150034,
      '76213-8 8462-4',
      'ART-D',
      'Diastolic arterial pressure (ART)',
      '动脉舒张压（ART）',
      arterialLoinc,
    ],
    [
      'MDC_PRESS_BLD_DIA',
      150018,
      '76213-8 8462-4',
      'IBP-D',
      'Diastolic invasive pressure',
      '有创舒张压',
      arterialLoinc,
    ],
  ]),
  ...family({ ...line, quantity: 'mean-pressure' }, [
    [
      'MDC_PRESS_BLD_ART_ABP_MEAN',
      150039,
      '76214-6 8478-0',
      'ABP-M',
      'Mean arterial pressure (ABP)',
      '动脉平均压',
      arterialLoinc,
    ],
    [
      'MDC_PRESS_BLD_ART_MEAN',
      150035,
      '76214-6 8478-0',
      'ART-M',
      'Mean arterial pressure (ART)',
      '动脉平均压（ART）',
      arterialLoinc,
    ],
    [
      'MDC_PRESS_BLD_MEAN',
      150019,
      '76214-6 8478-0',
      'IBP-M',
      'Mean invasive pressure',
      '有创平均压',
      arterialLoinc,
    ],
  ]),
  ...family({ ...line, quantity: 'pulmonary-pressure' }, [
    ['MDC_PRESS_BLD_ART_PULM_SYS', 150045, '8440-0', 'PAP-S', 'Systolic pulmonary pressure', '肺动脉收缩压'],
    ['MDC_PRESS_BLD_ART_PULM_DIA', 150046, '8385-7', 'PAP-D', 'Diastolic pulmonary pressure', '肺动脉舒张压'],
    ['MDC_PRESS_BLD_ART_PULM_MEAN', 150047, '8414-5', 'PAP-M', 'Mean pulmonary pressure', '肺动脉平均压'],
  ]),
  ...family({ ...line, quantity: 'venous-pressure' }, [
    ['MDC_PRESS_BLD_VEN_CENT', 150084, '60985-9', 'CVP', 'Central venous pressure', '中心静脉压'],
    [
      'MDC_PRESS_BLD_VEN_CENT_MEAN',
      150087,
      '60985-9',
      'CVP',
      'Mean central venous pressure',
      '中心静脉平均压',
    ],
  ]),
  ...family({ ...line, quantity: 'intracranial-pressure' }, [
    ['MDC_PRESS_INTRA_CRAN', 153608, '60956-0', 'ICP', 'Intracranial pressure', '颅内压'],
    [
      'MDC_PRESS_INTRA_CRAN_MEAN',
      153611,
      '60956-0',
      'ICP',
      'Mean intracranial pressure',
      '平均颅内压',
      derived,
    ],
  ]),
  ...family({ ...line, quantity: 'cerebral-perfusion' }, [
    [
      'MDC_PRESS_CEREB_PERF',
      153604,
      '61017-0',
      'CPP',
      'Cerebral perfusion pressure',
      '脑灌注压',
      'MDC code and LOINC from one source each',
    ],
  ]),
  // Monitors show ±2.0 mV (±20 mm); ±10 mV is the ECG input's own range.
  ...family({ unit: 'mV', span: [-10, 10], decimals: 2, periodMs: 1_000, quantity: 'st' }, [
    ['MDC_ECG_AMPL_ST_I', 131841, '', 'ST-I', 'ST I', 'ST段 I', stDoubt],
    ['MDC_ECG_AMPL_ST_II', 131842, '', 'ST-II', 'ST II', 'ST段 II', stDoubt],
    ['MDC_ECG_AMPL_ST_III', 131901, '', 'ST-III', 'ST III', 'ST段 III', stDoubt],
    ['MDC_ECG_AMPL_ST_AVR', 131902, '', 'ST-aVR', 'ST aVR', 'ST段 aVR', stDoubt],
    ['MDC_ECG_AMPL_ST_AVL', 131903, '', 'ST-aVL', 'ST aVL', 'ST段 aVL', stDoubt],
    ['MDC_ECG_AMPL_ST_AVF', 131904, '', 'ST-aVF', 'ST aVF', 'ST段 aVF', stDoubt],
    ['MDC_ECG_AMPL_ST_V1', 131843, '', 'ST-V1', 'ST V1', 'ST段 V1', stDoubt],
    ['MDC_ECG_AMPL_ST_V2', 131844, '', 'ST-V2', 'ST V2', 'ST段 V2', stDoubt],
    ['MDC_ECG_AMPL_ST_V3', 131845, '', 'ST-V3', 'ST V3', 'ST段 V3', stDoubt],
    ['MDC_ECG_AMPL_ST_V4', 131846, '', 'ST-V4', 'ST V4', 'ST段 V4', stDoubt],
    ['MDC_ECG_AMPL_ST_V5', 131847, '', 'ST-V5', 'ST V5', 'ST段 V5', stDoubt],
    ['MDC_ECG_AMPL_ST_V6', 131848, '', 'ST-V6', 'ST V6', 'ST段 V6', stDoubt],
  ]),
  // Paper millimetres, as some monitors send ST; the channel is the lead. No limit in mV is ever held against them.
  ...family({ unit: 'mm', span: [-100, 100], decimals: 1, periodMs: 1_000, quantity: 'other' }, [
    [
      'MDC_ECG_AMPL_ST',
      131840,
      '',
      'ST',
      'ST in mm (lead as channel)',
      'ST段（毫米，通道为导联）',
      `${derived}; ${noLoinc}`,
    ],
  ]),
  ...family({ ...rate, quantity: 'pvc' }, [
    ['MDC_ECG_V_P_C_RATE', 148066, '', 'PVC', 'PVC rate', '室性早搏率', 'LOINC unconfirmed'],
  ]),
  // A count may run since the start of monitoring; 24 h at the rate's full span.
  ...family({ unit: '{count}', span: [0, 504_000], decimals: 0, periodMs: 1_000, quantity: 'pvc' }, [
    ['MDC_ECG_V_P_C_CNT', 148065, '', 'PVC', 'PVC count', '室性早搏计数', `${derived}; LOINC unconfirmed`],
  ]),
  // 0.1 to 20 L/min is what thermodilution modules state; 0 to 30 leaves room.
  ...family({ unit: 'L/min', span: [0, 30], decimals: 1, episodic: true, quantity: 'cardiac-output' }, [
    ['MDC_OUTPUT_CARD', 150276, '8741-1', 'CO', 'Cardiac output', '心输出量', loincOneSource],
  ]),
  // BLE heart-rate profile: u16 in 1/1024 s.
  ...family({ unit: 'ms', span: [0, 64_000], decimals: 0, periodMs: 1_000, quantity: 'other' }, [
    ['rr-interval', null, '', 'RR-I', 'Beat-to-beat interval', '心搏间期', noMdc],
  ]),
];
