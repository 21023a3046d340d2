import type { Inactivation } from '../../model/alarm.ts';
import { instantOf } from '../../model/local-time.ts';
import type { Reason } from '../../model/observation.ts';
import { missing, within, type ActiveAlert, type StreamCodec, type Told } from '../transport/told.ts';
import { readLine, type Column, type Line } from './line.ts';

const saturation = 'MDC_PULS_OXIM_SAT_O2';
const pulse = 'MDC_PULS_OXIM_PULS_RATE';
/** A line has 80 characters; what grows past this is none. */
const longestLine = 256;

/** Status words under which nothing is measured, whatever stands in the columns; the first that is there counts. */
const without: readonly (readonly [word: string, reason: Reason])[] = [
  ['SD', 'sensor-off'],
  ['SO', 'sensor-off'],
];
/** Words under which a number is in doubt. */
const doubtful: readonly (readonly [word: string, reason: Reason])[] = [
  ['PS', 'searching'],
  ['LM', 'artefact'],
  ['LP', 'low-signal'],
  ['MO', 'artefact'],
];

type Row = readonly [word: string, text: string, priority: ActiveAlert['priority'], metric?: string];
const physiological: readonly Row[] = [
  ['LP', 'Loss of pulse', 'high', pulse],
  ['LM', 'Loss of pulse with motion', 'high', pulse],
  ['PH', 'Pulse high', 'high', pulse],
  ['PL', 'Pulse low', 'high', pulse],
  ['SH', 'SpO2 high', 'medium', saturation],
  ['SL', 'SpO2 low', 'high', saturation],
];
const technical: readonly Row[] = [
  ['SD', 'Sensor disconnected', 'medium'],
  ['SO', 'Sensor off', 'medium'],
  ['LB', 'Low battery', 'low'],
];
/** Words that qualify and raise nothing by themselves. */
const silent = new Set(['AO', 'AS', 'MO', 'PS']);

/** Lines of the text output. With a zone the device's own clock is told. */
export function createCodec(timeZone?: string): StreamCodec {
  let open = '';
  const tell = (text: string): Told[] => {
    if (text.trim() === '') return [];
    const read = readLine(text);
    if (read === 'title') return [];
    if ('cause' in read) return [{ kind: 'refused', cause: read.cause, raw: Buffer.from(text, 'latin1') }];
    if ('model' in read) {
      return [{ kind: 'identity', identity: { manufacturer: 'Nellcor', model: read.model } }];
    }
    const clockMs = timeZone === undefined ? undefined : instantOf(read.clock, timeZone);
    return [
      { kind: 'frame' },
      ...(clockMs === undefined ? [] : [{ kind: 'state', clockMs } as const]),
      ...observe(read),
    ];
  };
  return {
    push: (chunk) => {
      const lines = (open + chunk.toString('latin1')).split(/[\r\n]+/);
      open = lines.pop() ?? '';
      const told = lines.flatMap(tell);
      if (open.length <= longestLine) return told;
      const raw = Buffer.from(open, 'latin1');
      open = '';
      return [...told, { kind: 'refused', cause: 'no line end', raw }];
    },
    rest: () => {
      const last = open;
      open = '';
      return tell(last);
    },
  };
}

function observe(line: Line): Told[] {
  const has = (word: string): boolean => line.words.includes(word);
  const none = without.find(([word]) => has(word))?.[1];
  const mark = doubtful.find(([word]) => has(word))?.[1];
  // Two zeros are how the display looks while the oximeter searches for a pulse.
  const searching = line.saturation.number === 0 && line.pulse.number === 0;
  const one = (metric: string, { number }: Column, span: readonly [number, number]): Told => {
    if (none) return missing(metric, none);
    if (searching || (number === 0 && has('PS'))) return missing(metric, 'searching');
    return number === null ? missing(metric, mark ?? 'not-measured') : within(metric, number, span, mark);
  };
  return [
    one(saturation, line.saturation, [0, 100]),
    one(pulse, line.pulse, [0, 350]),
    one('pulse-amplitude', line.amplitude, [0, 254]),
    { kind: 'alerts', alerts: alertsOf(line) },
  ];
}

/** README, table of alarms. */
function alertsOf({ words, saturation: spo2, pulse: bpm }: Line): ActiveAlert[] {
  const inactivation: Inactivation = words.includes('AO')
    ? 'audioOff'
    : words.includes('AS')
      ? 'audioPaused'
      : 'enabled';
  const alert = ([code, text, priority, metric]: Row, type: ActiveAlert['type']): ActiveAlert => ({
    alertId: code.toLowerCase(),
    code,
    text,
    priority,
    type,
    latching: false,
    inactivation,
    ...(metric && { metric }),
  });
  const rows = (table: readonly Row[], type: ActiveAlert['type']): ActiveAlert[] =>
    table.filter(([word]) => words.includes(word)).map((row) => alert(row, type));
  const named = new Set([...silent, ...[...physiological, ...technical].map(([word]) => word)]);
  const outside = (column: Column, high: string, low: string): boolean =>
    column.outside && !words.includes(high) && !words.includes(low);
  return [
    ...rows(physiological, 'physiological'),
    ...rows(technical, 'technical'),
    ...(outside(spo2, 'SH', 'SL')
      ? [alert(['SPO2-LIMIT', 'SpO2 outside its limits', 'high', saturation], 'physiological')]
      : []),
    ...(outside(bpm, 'PH', 'PL')
      ? [alert(['BPM-LIMIT', 'Pulse outside its limits', 'high', pulse], 'physiological')]
      : []),
    ...words.filter((word) => !named.has(word)).map((word) => alert([word, word, 'medium'], 'physiological')),
  ];
}
