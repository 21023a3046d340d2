import { findMetric } from '../../model/aliases.ts';
import type { AlertState, Inactivation } from '../../model/alarm.ts';
import { componentOf, repetitionsOf, unescape } from '../../model/hl7/message.ts';
import type { Row } from './rows.ts';
import type { Vendor } from './settings.ts';

/** OBR-3 and OBR-29 of one alert message: the event id ties its messages together (standards.md 4.2). */
export interface AlertIds {
  readonly own: string;
  readonly parent: string;
}
type Facet = 'event' | 'source' | 'phase' | 'state' | 'inactivation' | 'priority' | 'type';

/** By name first; the numbers are written in three ways by real senders (68480, 68164, 684800). */
const facets: readonly (readonly [Facet, RegExp, readonly string[]])[] = [
  ['source', /ALERT_SOURCE$/, ['68480', '68164', '684800']],
  ['phase', /EVENT_PHASE$/, ['68481', '68165', '684810']],
  ['inactivation', /INACTIVATION/, ['68483', '68167', '684830']],
  ['state', /ALARM_STATE$/, ['68482', '68166', '684820']],
  ['priority', /ALARM_PRIORITY$/, ['68484', '684840']],
  ['type', /(ALERT|EVENT)_TYPE$/, ['68485', '684850']],
  ['event', /^MDC_EVT_/, ['196616', '196648', '196652', '196670', '196674']],
];

function facetOf({ code }: Row): Facet | undefined {
  const byName = facets.find(([, name]) => code.refId !== '' && name.test(code.refId));
  return (byName ?? facets.find(([, , numbers]) => numbers.includes(code.code)))?.[0];
}

/** An arrhythmia or apnoea that ends by itself must still be seen (CLINICAL 4). */
const latching = /ASYST|V_?FIB|VENT_FIB|V_?TACH|VTAC|VENT_TACHY|APNEA/;

/** One alert message of PCD-04: the alert as it stands after it. Undefined without an event and a phase or state. */
export function readAlert(rows: readonly Row[], ids: AlertIds, vendor: Vendor): AlertState | undefined {
  const of = new Map<Facet, Row>();
  let measured: string | undefined;
  for (const row of rows) {
    const facet = facetOf(row);
    if (facet && !of.has(facet)) of.set(facet, row);
    measured ??= facet === undefined || facet === 'source' ? metricOf(row, vendor) : undefined;
  }
  const event = of.get('event');
  const phase = phaseOf(wordOf(of.get('phase')), wordOf(of.get('state')));
  if (!event || !phase) return undefined;
  const { code, text } = eventOf(event);
  const alertId = (ids.parent || ids.own || `${code} ${measured ?? ''}`).trim().slice(0, 64);
  const type = typeOf(wordOf(of.get('type')), measured);
  const inactivation = inactivationOf(of.get('inactivation'));
  return {
    alertId,
    code,
    text,
    phase,
    priority: priorityOf(wordOf(of.get('priority')), wordOf(of.get('type'))),
    type,
    ...(latching.test(code) && type === 'physiological' ? { latching: true } : {}),
    ...(measured === undefined ? {} : { metric: measured }),
    ...(inactivation === undefined ? {} : { inactivation }),
  };
}

function metricOf({ code }: Row, vendor: Vendor): string | undefined {
  return findMetric({ vendor, code: code.code, refId: code.refId, system: code.system || 'MDC' })?.refId;
}

/** MDC_EVT_ALARM says only that it is one; which, stands in OBX-5. Its text is kept as sent. */
function eventOf(row: Row): { code: string; text: string } {
  const { delimiters, raw, code } = row;
  const part = (number: number): string => componentOf(raw, number, delimiters).trim();
  const plain = row.type === 'ST' || row.type === 'TX' || !raw.includes(delimiters.component);
  const general = code.refId === 'MDC_EVT_ALARM' || code.code === '196616' || code.refId === '';
  const said = plain ? unescape(raw, delimiters).trim() : part(9) || part(2) || part(1);
  const own = general && !plain ? part(2) || part(1) : code.refId || code.code;
  return { code: (own || 'MDC_EVT_ALARM').slice(0, 64), text: (said || own).slice(0, 256) };
}

/** Facets are words; some senders code them as `code^word`. */
function wordOf(row: Row | undefined): string {
  if (!row) return '';
  const words = [2, 1].map((number) => componentOf(row.raw, number, row.delimiters).trim());
  return (words.find((word) => word !== '') ?? '').toLowerCase();
}

function phaseOf(phase: string, state: string): AlertState['phase'] | undefined {
  if (/^(end|reset)$/.test(phase) || /^(inactive|off)$/.test(state)) return 'end';
  if (phase === 'start' || phase === 'present') return 'start';
  if (/^(continue|update|escalate|deescalate|de-escalate)$/.test(phase)) return 'continue';
  return state === 'active' || state === 'latched' || state === 'on' ? 'continue' : undefined;
}

function priorityOf(priority: string, type: string): AlertState['priority'] {
  if (priority === 'ph' || priority === 'high') return 'high';
  if (priority === 'pm' || priority === 'medium') return 'medium';
  if (priority === 'pl' || priority === 'low') return 'low';
  // PN is no alarm at all; nothing said is unknown, and that is medium (CLINICAL 5).
  return priority === 'pn' || priority === 'none' || type === 'sa' ? 'advisory' : 'medium';
}

const typeOf = (type: string, metric: string | undefined): AlertState['type'] => {
  if (type === 'sp' || type === 'physiological') return 'physiological';
  if (type === 'st' || type === 'sa' || type === 'technical') return 'technical';
  return metric === undefined ? 'technical' : 'physiological';
};

/** The strongest of those told: what is off is off, however else it is also paused. */
function inactivationOf(row: Row | undefined): Inactivation | undefined {
  if (!row) return undefined;
  const words: Readonly<Record<string, Inactivation>> = {
    'alarm-off': 'alarmOff',
    'alarm-paused': 'alarmPaused',
    'audio-off': 'audioOff',
    'audio-paused': 'audioPaused',
    'alert-acknowledged': 'acknowledged',
    enabled: 'enabled',
  };
  const told = repetitionsOf(row.raw, row.delimiters).map((each) => each.trim().toLowerCase());
  const name = Object.keys(words).find((word) =>
    told.some((each) => each.split(row.delimiters.component).includes(word)),
  );
  return name === undefined ? undefined : words[name];
}
