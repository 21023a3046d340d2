import type { AlertState, Direction } from '../../model/alarm.ts';
import { lineOf } from './source-order.ts';

/** What a device's physiological alert is about: the quantity and direction it shares with Vigil's limits, if any. */
export interface AlertClass {
  readonly line?: string;
  readonly direction?: Direction;
  /** Asystole, VF, VT and apnoea stay until a person clears them, unless the device says that they do not latch. */
  readonly latching: boolean;
}

interface Kind extends AlertClass {
  readonly words: RegExp;
}

/** What needs no metric to be known; texts as monitors of several makers show them. */
const kinds: readonly Kind[] = [
  { words: /asystol|心脏停搏|停搏/i, line: 'heart-rate', direction: 'low', latching: true },
  {
    words:
      /ventr(icular)?[ .-]*(fib|tach)|\bv[ ./-]?fib\b|\bv[ ./-]?tach\b|\bVF\b|\bVT\b|vfib|vtach|室颤|室速/i,
    latching: true,
  },
  { words: /apn(o)?ea|no breath|窒息|呼吸暂停/i, line: 'respiration', direction: 'low', latching: true },
  { words: /brady|心动过缓/i, line: 'heart-rate', direction: 'low', latching: false },
  { words: /tachycard|心动过速/i, line: 'heart-rate', direction: 'high', latching: false },
  { words: /desat/i, line: 'saturation', direction: 'low', latching: false },
];

const lowWords = /(^|[^a-z])(low|lo|brady|hypo|desat|below|under)|[a-z]low$|<|过低|低/i;
const highWords = /(^|[^a-z])(high|hi|tachy|hyper|above|over)|[a-z]high$|>|过高|高/i;

/** Finds the class by the metric the alert names and, where there is none, by the words of its code and text. */
export function classOf(
  alert: Pick<AlertState, 'code' | 'text' | 'metric' | 'direction' | 'latching'>,
): AlertClass {
  const words = `${alert.code} ${alert.text}`;
  const kind = kinds.find((one) => one.words.test(words));
  const line = kind?.line ?? (alert.metric === undefined ? undefined : lineOf(alert.metric));
  const direction = alert.direction ?? kind?.direction ?? directionIn(alert.text) ?? directionIn(alert.code);
  return {
    ...(line === undefined ? {} : { line }),
    ...(direction === undefined ? {} : { direction }),
    latching: alert.latching ?? kind?.latching ?? false,
  };
}

function directionIn(words: string): Direction | undefined {
  const low = lowWords.test(words);
  const high = highWords.test(words);
  return low === high ? undefined : low ? 'low' : 'high';
}
