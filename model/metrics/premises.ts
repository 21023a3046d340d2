import type { Metric } from '../metric.ts';
import { family, noMdc } from './row.ts';

// Rooms, mains and stores change slowly and are polled through Modbus.
const polled = { periodMs: 10_000 } as const;
const room = { ...polled, quantity: 'environment' } as const;
const supply = { ...polled, quantity: 'supply' } as const;

/** The rooms and what feeds them: pressure rooms, isolated mains, gases, freezers, UPS; and batteries of devices. */
export const premises: readonly Metric[] = [
  // Room controllers state ±0.2 in water (±50 Pa); ±1250 Pa is the widest duct sensor of the same family.
  ...family({ unit: 'Pa', span: [-1_250, 1_250], decimals: 1, ...room }, [
    ['room-pressure', null, '', 'Room P', 'Room pressure', '房间压差', noMdc],
    ['anteroom-pressure', null, '', 'Ante P', 'Anteroom pressure', '缓冲间压差', noMdc],
  ]),
  ...family({ unit: 'm3/h', span: [0, 100_000], decimals: 0, ...room }, [
    ['supply-flow', null, '', 'Supply', 'Supply air flow', '送风量', noMdc],
    ['exhaust-flow', null, '', 'Exhaust', 'Exhaust air flow', '排风量', noMdc],
  ]),
  ...family({ unit: '/h', span: [0, 200], decimals: 1, ...room }, [
    ['air-changes', null, '', 'ACH', 'Air changes', '换气次数', noMdc],
  ]),
  ...family({ unit: '%', span: [0, 100], decimals: 0, ...room }, [
    ['humidity', null, '', 'RH', 'Relative humidity', '相对湿度', noMdc],
  ]),
  ...family({ unit: 'Cel', span: [-50, 100], decimals: 1, ...room }, [
    ['room-temperature', null, '', 'Room T', 'Room temperature', '室温', noMdc],
    ['supply-air-temperature', null, '', 'Air T', 'Supply air temperature', '送风温度', noMdc],
  ]),
  // Ultra-low freezers work at −86 Cel, incubators and sterilisers of the same interface up to 150.
  ...family({ unit: 'Cel', span: [-200, 150], decimals: 1, ...room }, [
    ['storage-temperature', null, '', 'Store T', 'Storage temperature', '储存温度', noMdc],
    ['storage-setpoint', null, '', 'Store set', 'Storage temperature, set', '储存设定温度', noMdc],
  ]),
  ...family({ unit: '1', decimals: 0, ...room, value: 'code' }, [
    ['door', null, '', 'Door', 'Door', '门状态', noMdc],
    ['anteroom-door', null, '', 'Ante door', 'Anteroom door', '缓冲间门状态', noMdc],
    ['room-status', null, '', 'Room', 'Room status', '房间状态', noMdc],
    ['occupancy', null, '', 'Occupied', 'Occupancy', '占用状态', noMdc],
    ['storage-status', null, '', 'Store', 'Storage status', '储存状态', noMdc],
  ]),
  // Isolation monitors of the 425 family measure to 1 MOhm and show more as "greater than".
  ...family({ unit: 'Ohm', span: [0, 100_000_000], decimals: 0, ...supply }, [
    ['isolation-resistance', null, '', 'R iso', 'Isolation resistance', '绝缘电阻', noMdc],
  ]),
  ...family({ unit: 'F', span: [0, 0.01], decimals: 9, ...supply }, [
    ['leakage-capacitance', null, '', 'C leak', 'Leakage capacitance', '泄漏电容', noMdc],
  ]),
  ...family({ unit: '1', decimals: 0, ...supply, value: 'code' }, [
    ['isolation-status', null, '', 'Iso', 'Isolation status', '绝缘状态', noMdc],
    ['battery-condition', null, '', 'Batt', 'Battery condition', '电池状况', noMdc],
    ['battery-status', null, '', 'Batt', 'Battery status', '电池状态', noMdc],
    ['gas-status', null, '', 'Gas', 'Medical gas status', '医用气体状态', noMdc],
  ]),
  ...family({ unit: 'V', span: [-1_500, 1_500], decimals: 1, ...supply }, [
    ['line-voltage', null, '', 'U', 'Line voltage', '线路电压', noMdc],
    ['input-voltage', null, '', 'U in', 'Input voltage', '输入电压', noMdc],
    ['output-voltage', null, '', 'U out', 'Output voltage', '输出电压', noMdc],
    ['battery-voltage', null, '', 'U batt', 'Battery voltage', '电池电压', noMdc],
  ]),
  ...family({ unit: 'Hz', span: [0, 100], decimals: 1, ...supply }, [
    ['input-frequency', null, '', 'f in', 'Input frequency', '输入频率', noMdc],
  ]),
  ...family({ unit: '%', span: [0, 100], decimals: 0, ...supply }, [
    ['charge', null, '', 'Batt', 'Battery charge', '电池电量', noMdc],
    ['fault-location', null, '', 'Fault', 'Earth fault location', '接地故障位置', noMdc],
  ]),
  // A UPS may run above its rating for seconds.
  ...family({ unit: '%', span: [0, 200], decimals: 0, ...supply }, [
    ['load', null, '', 'Load', 'Load', '负载率', noMdc],
  ]),
  ...family({ unit: 'min', span: [0, 100_000], decimals: 0, ...supply }, [
    ['battery-time-left', null, '', 'Left', 'Battery time remaining', '电池剩余时间', noMdc],
  ]),
  ...family({ unit: 's', span: [0, 31_536_000], decimals: 0, ...supply }, [
    ['on-battery-time', null, '', 'On batt', 'Time on battery', '电池供电时间', noMdc],
  ]),
  ...family({ unit: 'Cel', span: [-50, 150], decimals: 0, ...supply }, [
    ['battery-temperature', null, '', 'Batt T', 'Battery temperature', '电池温度', noMdc],
  ]),
  // Pipelines work at 400 to 900 kPa, cylinders up to 30 MPa.
  ...family({ unit: 'kPa', span: [-100, 30_000], decimals: 0, ...supply }, [
    ['gas-pressure', null, '', 'Gas P', 'Medical gas pressure', '医用气体压力', noMdc],
  ]),
];
