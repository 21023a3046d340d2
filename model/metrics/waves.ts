import type { Metric } from '../metric.ts';
import { derived, family, noMdc } from './row.ts';

const wireSeen = 'MDC code from wire captures';
// Waveforms have no period of their own as numerics have: the block says its sample period.
const ecg = { unit: 'mV', span: [-10, 10], decimals: 3, quantity: 'other' } as const;
const pressure = { unit: 'mm[Hg]', span: [-50, 400], decimals: 1, quantity: 'other' } as const;

/** Waveforms: what the `waveforms` topic may name. */
export const waves: readonly Metric[] = [
  ...family(ecg, [
    ['MDC_ECG_ELEC_POTL', 131328, '', 'ECG', 'ECG', '心电', derived],
    ['MDC_ECG_ELEC_POTL_I', 131329, '', 'ECG I', 'ECG lead I', '心电 I 导联', wireSeen],
    ['MDC_ECG_ELEC_POTL_II', 131330, '', 'ECG II', 'ECG lead II', '心电 II 导联', wireSeen],
    ['MDC_ECG_ELEC_POTL_III', 131389, '', 'ECG III', 'ECG lead III', '心电 III 导联', derived],
    ['MDC_ECG_ELEC_POTL_AVR', 131390, '', 'ECG aVR', 'ECG lead aVR', '心电 aVR 导联', wireSeen],
    ['MDC_ECG_ELEC_POTL_AVL', 131391, '', 'ECG aVL', 'ECG lead aVL', '心电 aVL 导联', wireSeen],
    ['MDC_ECG_ELEC_POTL_AVF', 131392, '', 'ECG aVF', 'ECG lead aVF', '心电 aVF 导联', wireSeen],
    ['MDC_ECG_ELEC_POTL_V1', 131331, '', 'ECG V1', 'ECG lead V1', '心电 V1 导联', wireSeen],
    ['MDC_ECG_ELEC_POTL_V2', 131332, '', 'ECG V2', 'ECG lead V2', '心电 V2 导联', wireSeen],
    ['MDC_ECG_ELEC_POTL_V3', 131333, '', 'ECG V3', 'ECG lead V3', '心电 V3 导联', wireSeen],
    ['MDC_ECG_ELEC_POTL_V4', 131334, '', 'ECG V4', 'ECG lead V4', '心电 V4 导联', wireSeen],
    ['MDC_ECG_ELEC_POTL_V5', 131335, '', 'ECG V5', 'ECG lead V5', '心电 V5 导联', wireSeen],
    ['MDC_ECG_ELEC_POTL_V6', 131336, '', 'ECG V6', 'ECG lead V6', '心电 V6 导联', derived],
  ]),
  // Without a unit of their own: the full span of a 16-bit sample.
  ...family({ unit: '1', span: [-32_768, 32_767], decimals: 3, quantity: 'other' }, [
    ['MDC_PULS_OXIM_PLETH', 150452, '', 'Pleth', 'Plethysmogram', '容积脉搏波', wireSeen],
    ['MDC_RESP', 151552, '', 'Resp', 'Respiration wave', '呼吸波', derived],
  ]),
  ...family(pressure, [
    ['MDC_PRESS_BLD', 150016, '', 'IBP', 'Invasive pressure wave', '有创血压波', derived],
    ['MDC_PRESS_BLD_ART', 150032, '', 'ART', 'Arterial pressure wave (ART)', '动脉压波（ART）', derived],
    ['MDC_PRESS_BLD_ART_ABP', 150036, '', 'ABP', 'Arterial pressure wave (ABP)', '动脉压波', derived],
    ['MDC_PRESS_BLD_ART_PULM', 150044, '', 'PAP', 'Pulmonary pressure wave', '肺动脉压波', derived],
    ['co2-wave', null, '', 'CO2', 'CO2 wave', '二氧化碳波', noMdc],
  ]),
  ...family({ unit: 'cm[H2O]', span: [-50, 150], decimals: 1, quantity: 'other' }, [
    ['airway-pressure-wave', null, '', 'Paw', 'Airway pressure wave', '气道压力波', noMdc],
  ]),
  ...family({ unit: 'L/min', span: [-300, 300], decimals: 1, quantity: 'other' }, [
    ['airway-flow-wave', null, '', 'Flow', 'Airway flow wave', '气道流速波', noMdc],
  ]),
];
