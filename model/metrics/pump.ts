import type { Metric } from '../metric.ts';
import { family, noLoinc, noMdc } from './row.ts';

// Pumps are asked by their driver; 10 s is the slowest pace.
const asked = { periodMs: 10_000 } as const;
// Large-volume pumps state up to 1200 mL/h, rapid infusers more.
const flow = { unit: 'mL/h', span: [0, 10_000], decimals: 2, ...asked, quantity: 'infusion-rate' } as const;
const volume = {
  unit: 'mL',
  span: [0, 100_000],
  decimals: 2,
  ...asked,
  quantity: 'infusion-volume',
} as const;
const other = { ...asked, quantity: 'other' } as const;

/** Infusion pumps; the channel names the slot. */
export const pump: readonly Metric[] = [
  ...family(flow, [
    ['MDC_FLOW_FLUID_PUMP_CURRENT', 158014, '', 'Rate', 'Infusion rate', '输注速率'],
    ['MDC_FLOW_FLUID_PUMP', 157784, '', 'Rate-set', 'Infusion rate, programmed', '设定输注速率'],
    ['bolus-rate', null, '', 'Bolus', 'Bolus rate', '推注速率', noMdc],
  ]),
  ...family(volume, [
    ['MDC_VOL_FLUID_DELIV_TOTAL', 157993, '', 'Vtot', 'Volume infused, total', '累计输入量'],
    [
      'MDC_VOL_FLUID_DELIV',
      157864,
      '',
      'Vinf',
      'Volume infused',
      '本次输入量',
      `MDC code from one file; ${noLoinc}`,
    ],
    ['MDC_VOL_FLUID_TBI', 157884, '', 'VTBI', 'Volume to be infused', '预置输液量'],
    ['MDC_VOL_FLUID_TBI_REMAIN', 157872, '', 'Vleft', 'Volume remaining', '剩余输液量'],
    ['bolus-volume', null, '', 'Vbolus', 'Bolus volume', '推注量', noMdc],
    ['syringe-volume', null, '', 'Vsyr', 'Volume in the syringe', '注射器余量', noMdc],
    ['syringe-size', null, '', 'Syr', 'Syringe size', '注射器规格', noMdc],
  ]),
  ...family({ unit: '1', decimals: 0, ...asked, quantity: 'pump-status', value: 'code' }, [
    ['MDC_PUMP_INFUSING_STATUS', 184519, '', 'Pump', 'Pump status', '输注状态'],
  ]),
  // The drug travels as a code of the pump's own library, or as the text it shows.
  ...family({ unit: '1', decimals: 0, ...other, value: 'code' }, [
    ['pump-drug', null, '', 'Drug', 'Drug in the pump', '药物名称', noMdc],
  ]),
  ...family({ unit: '1', decimals: 0, ...other, value: 'text' }, [
    ['pump-mode', null, '', 'Mode', 'Pump mode', '输注模式', noMdc],
    ['dose-rate-unit', null, '', 'Dose unit', 'Unit of the dose rate', '剂量率单位', noMdc],
  ]),
  // Its unit depends on the drug: `dose-rate-unit` of the same channel says it.
  ...family({ unit: '1', span: [0, 100_000], decimals: 3, ...other }, [
    ['dose-rate', null, '', 'Dose', 'Dose rate', '剂量率', noMdc],
  ]),
  ...family({ unit: 's', span: [0, 31_536_000], decimals: 0, ...other }, [
    ['infusion-time-left', null, '', 'T-left', 'Infusion time remaining', '剩余输注时间', noMdc],
    ['infusion-time', null, '', 'T-inf', 'Infusion time', '输注时间', noMdc],
  ]),
  ...family({ unit: 'min', span: [0, 100_000], decimals: 0, ...other }, [
    ['pump-standby-left', null, '', 'T-stby', 'Standby time remaining', '剩余待机时间', noMdc],
  ]),
  ...family({ unit: '1', span: [0, 8], decimals: 0, ...other }, [
    ['line-pressure-stage', null, '', 'P-stage', 'Line pressure stage', '管路压力级别', noMdc],
  ]),
  // Of the alarm pressure; a pump past its alarm pressure shows more than 100.
  ...family({ unit: '%', span: [0, 200], decimals: 0, ...other }, [
    [
      'line-pressure-percent',
      null,
      '',
      'P%',
      'Line pressure (of the alarm pressure)',
      '管路压力百分比',
      noMdc,
    ],
  ]),
  ...family({ unit: 'mm[Hg]', span: [-50, 2_000], decimals: 0, ...other }, [
    ['line-pressure', null, '', 'P', 'Line pressure', '管路压力', noMdc],
  ]),
];
