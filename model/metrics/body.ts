import type { Metric } from '../metric.ts';
import { derived, family, loincOneSource, noMdc, oneSource, type Family } from './row.ts';

const temperature: Family = {
  unit: 'Cel',
  span: [0, 50],
  decimals: 1,
  periodMs: 1_000,
  quantity: 'temperature',
};
const spot: Family = { ...temperature, periodMs: undefined, episodic: true };

/** Temperatures, laboratory, weight, consciousness and balance. */
export const body: readonly Metric[] = [
  ...family(temperature, [
    ['MDC_TEMP', 150344, '8310-5', 'Temp', 'Temperature', '体温'],
    ['MDC_TEMP_CORE', 150368, '8329-5', 'Tcore', 'Core temperature', '核心体温'],
    ['MDC_TEMP_RECT', 188420, '8332-9', 'Trect', 'Rectal temperature', '直肠温度'],
    ['MDC_TEMP_ESOPH', 150372, '60836-4', 'Tesoph', 'Oesophageal temperature', '食道温度'],
    ['MDC_TEMP_BLD', 188436, '60834-9', 'Tblood', 'Blood temperature', '血液温度'],
    ['MDC_TEMP_NASOPH', 150380, '60838-0', 'Tnaso', 'Nasopharyngeal temperature', '鼻咽温度'],
    ['MDC_TEMP_FOLEY', 150348, '8334-5', 'Tblad', 'Bladder temperature', '膀胱温度', 'one source each'],
  ]),
  ...family({ ...temperature, quantity: 'skin-temperature' }, [
    ['MDC_TEMP_SKIN', 150388, '39106-0', 'Tskin', 'Skin temperature', '皮肤温度', loincOneSource],
  ]),
  ...family(spot, [
    ['MDC_TEMP_BODY', 150364, '8310-5', 'Temp', 'Body temperature', '体温（点测）'],
    ['MDC_TEMP_ORAL', 188424, '8331-1', 'Toral', 'Oral temperature', '口腔温度'],
    ['MDC_TEMP_TYMP', 150392, '8333-7', 'Ttymp', 'Tympanic temperature', '耳温'],
    ['MDC_TEMP_AXIL', 188496, '8328-7', 'Taxil', 'Axillary temperature', '腋下温度', 'two codes in use'],
    [
      'MDC_TEMP_AXILLA',
      188452,
      '8328-7',
      'Taxil',
      'Axillary temperature (other code)',
      '腋下温度（另一编码）',
      'two codes in use',
    ],
  ]),
  // Point-of-care meters state 10 to 600 mg/dL; laboratory values reach further.
  ...family({ unit: 'mg/dL', span: [0, 1_500], decimals: 0, episodic: true, quantity: 'glucose' }, [
    [
      'MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD',
      160184,
      '41653-7 2339-0',
      'Glu',
      'Glucose (capillary)',
      '血糖（末梢）',
      'LOINC from one source each; 15074-8 is the code in mmol/L',
    ],
  ]),
  // Continuous monitors send every 1 to 5 minutes.
  ...family({ unit: 'mg/dL', span: [0, 1_500], decimals: 0, periodMs: 300_000, quantity: 'glucose' }, [
    ['glucose-tissue', null, '', 'CGM', 'Glucose (tissue, continuous)', '血糖（组织间液）', noMdc],
  ]),
  ...family({ unit: 'kg', span: [0, 500], decimals: 1, episodic: true, quantity: 'weight' }, [
    ['MDC_MASS_BODY_ACTUAL', 188736, '29463-7', 'Wt', 'Body weight', '体重', oneSource],
    ['MDC_ATTR_PT_WEIGHT', 68063, '29463-7', 'Wt', 'Body weight (attribute)', '体重（设备录入）'],
    ['ideal-body-weight', null, '', 'IBW', 'Ideal body weight', '理想体重', noMdc],
  ]),
  ...family({ unit: 'cm', span: [0, 300], decimals: 0, episodic: true, quantity: 'height' }, [
    ['MDC_ATTR_PT_HEIGHT', 68060, '8302-2', 'Ht', 'Body height', '身高'],
  ]),
  ...family({ unit: '{score}', span: [3, 15], decimals: 0, episodic: true, quantity: 'consciousness' }, [
    ['MDC_SCORE_GLAS_COMA', 153728, '9269-2', 'GCS', 'Glasgow Coma Scale', '格拉斯哥昏迷评分'],
  ]),
  // 67775-7 has no answer for new confusion; SNOMED CT 1104441000000107 (UK) says it.
  ...family({ unit: '1', decimals: 0, episodic: true, quantity: 'consciousness', value: 'code' }, [
    ['acvpu', null, '67775-7', 'ACVPU', 'Consciousness (ACVPU)', '意识水平（ACVPU）', noMdc],
  ]),
  ...family({ unit: '{score}', span: [0, 10], decimals: 0, episodic: true, quantity: 'pain' }, [
    ['pain-score', null, '72514-3', 'Pain', 'Pain score (0 to 10)', '疼痛评分', noMdc],
  ]),
  ...family({ unit: 'mL', span: [0, 10_000], decimals: 0, episodic: true, quantity: 'urine' }, [
    ['MDC_VOL_URINE_COL', 157744, '9187-6', 'Urine', 'Urine output', '尿量', `${derived}; ${loincOneSource}`],
  ]),
];
