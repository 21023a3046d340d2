import type { AlertState } from '../../model/alarm.ts';
import { measured, missing, words, type Untimed } from '../../model/untimed.ts';
import type { Block } from './frame.ts';
import { alarms, longestTimeS, numbers, states, statusMetric, statusSystem } from './params.ts';

/** Parameters of one pump by the channel `xy` (pillar, slot from below); the rack itself is ''. */
export type Pumps = ReadonlyMap<string, ReadonlyMap<string, string>>;

export interface Collector {
  /** The whole information once its last block is there. */
  push(block: Block): Buffer | undefined;
  /** Whole records of blocks whose end never came; forgets them. */
  rest(): Buffer;
}

/**
 * Puts the blocks of one message together. A block may end within a record or between two; whether the next begins
 * with one tells which.
 */
export function createCollector(): Collector {
  let open: Buffer = Buffer.alloc(0);
  const joined = (information: Buffer): Buffer => {
    if (open.length === 0) return information;
    const before = open.subarray(open.lastIndexOf(recordEnd) + 1).toString('utf8');
    const between = before !== '' && record.test(before) && start.test(information.toString('latin1'));
    return Buffer.concat(between ? [open, Buffer.from([recordEnd]), information] : [open, information]);
  };
  return {
    push: ({ information, last }) => {
      open = joined(information);
      if (!last) return undefined;
      const whole = open;
      open = Buffer.alloc(0);
      return whole;
    },
    rest: () => {
      const whole = open.subarray(0, Math.max(0, open.lastIndexOf(recordEnd)));
      open = Buffer.alloc(0);
      return whole;
    },
  };
}

const recordEnd = 0x1e;
/** time, address, parameter, value; a value may have commas of its own. */
const record = /^(\d{1,10}),(50\d{3}),([A-Z][A-Z0-9]{1,23}),([^]*)$/;
const start = /^\d{1,10},50\d{3},[A-Z]/;

/** The records of a message; a string says why they are none. */
export function readRecords(information: Buffer): Pumps | string {
  const text = information.toString('utf8');
  const pumps = new Map<string, Map<string, string>>();
  // Our own question, overheard.
  if (/^(ADMIN|MEM):/.test(text)) return pumps;
  for (const line of text.split('\x1e')) {
    if (line === '') continue;
    const found = record.exec(line);
    if (!found) return 'a record without time, address, parameter and value';
    const [, , address = '', parameter = '', value = ''] = found;
    const channel = address === '50100' ? '' : address.slice(3);
    const pump = pumps.get(channel) ?? new Map<string, string>();
    pumps.set(channel, pump.set(parameter, value));
  }
  return pumps;
}

const none = (value: string | undefined): boolean =>
  value === undefined || value === '_NV' || value === '_NA';
const number = /^[+-]?\d+(\.\d+)?$/;

/** What the pumps say, one channel each; a string says why the message is not to be believed. */
export function observe(pumps: Pumps): Untimed[] | string {
  const observations: Untimed[] = [];
  for (const [channel, pump] of pumps) {
    if (channel === '') continue;
    for (const [parameter, value] of pump) {
      const known = numbers.get(parameter);
      if (!known) continue;
      if (!none(value) && value !== '' && !number.test(value)) return `${parameter} is no number`;
      observations.push(numberOf(parameter, known, value, channel));
    }
    observations.push(...textsOf(pump, channel), ...statusOf(pump, channel));
  }
  return observations;
}

function numberOf(
  parameter: string,
  { metric, unit }: { readonly metric: string; readonly unit: string },
  value: string,
  channel: string,
): Untimed {
  if (none(value) || value === '') return missing(metric, 'not-measured', channel);
  if (parameter === 'INRMT' && Number(value) >= longestTimeS) return missing(metric, 'over-range', channel);
  return measured(metric, Number(value), unit, channel);
}

/** The drug by its long name where there is one; names may hold characters of the pump's own font. */
function textsOf(pump: ReadonlyMap<string, string>, channel: string): Untimed[] {
  const texts: Untimed[] = [];
  const drugs = [pump.get('INSOL'), pump.get('INSOLSN')];
  if (drugs.some((drug) => drug !== undefined)) {
    const drug = drugs.find((each) => !none(each) && each?.trim() !== '');
    texts.push(
      drug ? words('pump-drug', drug.trim(), channel) : missing('pump-drug', 'not-measured', channel),
    );
  }
  const unit = pump.get('INDORTU');
  if (unit !== undefined) {
    const told = !none(unit) && unit !== '';
    texts.push(
      told ? words('dose-rate-unit', unit, channel) : missing('dose-rate-unit', 'not-measured', channel),
    );
  }
  return texts;
}

function statusOf(pump: ReadonlyMap<string, string>, channel: string): Untimed[] {
  const told = states.filter(([parameter]) => pump.has(parameter));
  const off = pump.get('DSSTATUS') === '00050';
  // Standby, KVO or switched on alone do not tell whether it pumps.
  if (!off && !told.some(([parameter]) => /^INM[123]$/.test(parameter))) return [];
  const state = told.find(([parameter, value]) => pump.get(parameter) === value)?.[2];
  if (state) return [coded(state, channel)];
  return none(pump.get('INM3'))
    ? [missing(statusMetric, 'not-measured', channel)]
    : [coded('stopped', channel)];
}

const coded = (code: string, channel: string): Untimed => ({
  metric: statusMetric,
  channel,
  code,
  system: statusSystem,
  validity: 'valid',
});

/** Alarm parameters in the message: active or not. `_NV` says nothing and is not among them. */
export function alarmStates(pumps: Pumps): Map<string, AlertState | undefined> {
  const found = new Map<string, AlertState | undefined>();
  for (const [channel, pump] of pumps) {
    for (const [parameter, value] of pump) {
      if (!/^INA\d+$/.test(parameter) && !alarms.has(parameter)) continue;
      const alertId = `${channel}-${parameter}`;
      if (value === '1') found.set(alertId, alertOf(alertId, channel, parameter));
      else if (value === '0') found.set(alertId, undefined);
    }
  }
  return found;
}

function alertOf(alertId: string, channel: string, parameter: string): AlertState {
  const { text, priority } = alarms.get(parameter) ?? { text: parameter, priority: 'medium' };
  return {
    alertId,
    code: parameter,
    text: `Pump ${channel}: ${text}`,
    phase: 'start',
    priority,
    type: 'technical',
    latching: false,
    inactivation: 'enabled',
  };
}
