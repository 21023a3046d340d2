import type { ActiveAlert } from '../transport/told.ts';

const endTidal = 'MDC_CONC_AWAY_CO2_ET';
const rate = 'MDC_CO2_RESP_RATE';
const inspired = 'MDC_CONC_AWAY_CO2_INSP';
const saturation = 'MDC_PULS_OXIM_SAT_O2';
const pulse = 'MDC_PULS_OXIM_PULS_RATE';

type Row = readonly [
  bit: number,
  alertId: string,
  text: string,
  priority: ActiveAlert['priority'],
  type: ActiveAlert['type'],
  metric?: string,
];

const co2: readonly Row[] = [
  [0x01, 'no-breath', 'No breath detected', 'high', 'physiological', rate],
  [0x02, 'etco2-high', 'EtCO2 high', 'medium', 'physiological', endTidal],
  [0x04, 'etco2-low', 'EtCO2 low', 'medium', 'physiological', endTidal],
  [0x08, 'rr-high', 'Respiration rate high', 'medium', 'physiological', rate],
  [0x10, 'rr-low', 'Respiration rate low', 'high', 'physiological', rate],
  [0x20, 'fico2-high', 'FiCO2 high', 'medium', 'physiological', inspired],
];
const oximetry: readonly Row[] = [
  [0x01, 'pulse-not-found', 'Pulse not found', 'medium', 'technical', pulse],
  [0x02, 'spo2-high', 'SpO2 high', 'medium', 'physiological', saturation],
  [0x04, 'spo2-low', 'SpO2 low', 'high', 'physiological', saturation],
  [0x08, 'pulse-high', 'Pulse high', 'medium', 'physiological', pulse],
  [0x10, 'pulse-low', 'Pulse low', 'high', 'physiological', pulse],
  [0x20, 'oximetry-off', 'SpO2 sensor off', 'medium', 'technical', saturation],
  [0x40, 'oximetry-unplugged', 'SpO2 sensor disconnected', 'medium', 'technical', saturation],
];
const fast: readonly Row[] = [
  [0x04, 'occlusion', 'Occlusion in the gas line', 'medium', 'technical', endTidal],
  [0x40, 'no-filter-line', 'No FilterLine', 'medium', 'technical', endTidal],
  [0x80, 'malfunction', 'CO2 malfunction', 'medium', 'technical', endTidal],
];
const slow = { high: 0x08, low: 0x10 };

export interface AlarmBytes {
  readonly co2: number;
  readonly oximetry: number;
  readonly slow: number;
  /** Of the last wave sample; 0 where none came. */
  readonly fast: number;
}

/** README, table of alarms. A bit that nobody has named is carried as sent, medium. */
export function alertsOf(bytes: AlarmBytes): ActiveAlert[] {
  const active = [
    ...read('CO2', co2, bytes.co2),
    ...read('SPO2', oximetry, bytes.oximetry),
    ...fast.filter(([bit]) => bytes.fast & bit).map((row) => alert('FAST', row)),
  ];
  const causeless = bytes.slow & (slow.high | slow.low);
  if (active.length > 0 || causeless === 0) return active;
  const priority = causeless & slow.high ? 'high' : 'low';
  return [
    alert('SLOW', [
      causeless,
      'other',
      `Alarm of the device (status ${hex(bytes.slow)})`,
      priority,
      'physiological',
    ]),
  ];
}

function read(name: string, rows: readonly Row[], byte: number): ActiveAlert[] {
  const other = byte & ~rows.reduce((bits, [bit]) => bits | bit, 0) & 0xff;
  const named = rows.filter(([bit]) => byte & bit).map((row) => alert(name, row));
  if (other === 0) return named;
  return [
    ...named,
    alert(name, [
      other,
      `${name.toLowerCase()}-other`,
      `${name} alarm ${hex(other)}`,
      'medium',
      'physiological',
    ]),
  ];
}

const alert = (name: string, [bit, alertId, text, priority, type, metric]: Row): ActiveAlert => ({
  alertId,
  code: `${name}-${hex(bit)}`,
  text,
  priority,
  type,
  latching: false,
  ...(metric && { metric }),
});

const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0');
