import { priorities, type Priority } from '../../model/alarm.ts';
import { profiles } from '../../model/census.ts';
import { metrics } from '../../model/metric-table.ts';
import { redirection, redirectionEvents, redirections } from '../delivery/redirection.ts';
import { highBandDelayS, lifeCritical, longestDelayS, saturationLowest } from '../census/limit-range.ts';
import { longestPauseMs, patienceMs, realarmMs } from './acts.ts';
import { technicalConditions } from './conditions.ts';
import { defaultLimits, unconfirmedProfiles } from './defaults.ts';
import { deliveries, delivery, deliveryEvents } from './delivery.ts';
import { inactivation, inactivationEvents, inactivations } from './inactivation.ts';
import { presence, presenceEvents, presences, step, type Table } from './presence.ts';
import { responsibilities, responsibility, responsibilityEvents } from './responsibility.ts';
import { alarmSignals, signal, signalEvents } from './signal.ts';
import { criticalMetrics, sourceOrder } from './source-order.ts';

// The tables of docs/alarms.md, made from what the code does: a nurse checks the page, a test holds it to the code.

/** One axis: a row a state, a column an event; empty = nothing happens. */
function axisTable<S extends string, E extends string, F extends string>(axis: {
  readonly name: string;
  readonly moves: Table<S, E, F>;
  readonly states: readonly S[];
  readonly events: readonly E[];
}): string {
  const cell = (state: S, event: E): string => {
    if (axis.moves[state][event] === undefined) return '';
    const [next, ...effects] = step(axis.moves, state, event);
    return effects.length === 0 ? `→ ${next}` : `→ ${next}: ${effects.join(', ')}`;
  };
  return table(
    [axis.name, ...axis.events],
    axis.states.map((state) => [`**${state}**`, ...axis.events.map((event) => cell(state, event))]),
  );
}

const presenceTable = (): string =>
  axisTable({ name: 'presence', moves: presence, states: presences, events: presenceEvents });
const signalTable = (): string =>
  axisTable({ name: 'signal', moves: signal, states: alarmSignals, events: signalEvents });
const inactivationTable = (): string =>
  axisTable({
    name: 'inactivation',
    moves: inactivation,
    states: inactivations,
    events: inactivationEvents,
  });
const responsibilityTable = (): string =>
  axisTable({
    name: 'responsibility',
    moves: responsibility,
    states: responsibilities,
    events: responsibilityEvents,
  });
const deliveryTable = (): string =>
  axisTable({ name: 'delivery', moves: delivery, states: deliveries, events: deliveryEvents });

const redirectionTable = (): string =>
  axisTable({
    name: 'redirection',
    moves: redirection,
    states: redirections,
    events: redirectionEvents,
  });

/** What a ward starts with. */
export function defaultsTable(): string {
  const rows = profiles.flatMap((profile) => {
    const limits = defaultLimits(profile);
    const value = (metric: string, priority: Priority, direction: 'low' | 'high'): string =>
      String(
        limits.find(
          (one) => one.metric === metric && one.priority === priority && one.direction === direction,
        )?.value ?? '–',
      );
    return [...new Set(limits.map((limit) => limit.metric))].map((metric) => {
      const { delayS = 0, hysteresis = 0 } = limits.find((limit) => limit.metric === metric) ?? {};
      const band = (priority: Priority): string =>
        `${value(metric, priority, 'low')} / ${value(metric, priority, 'high')}`;
      return [
        unconfirmedProfiles.includes(profile) ? `${profile} (without a source yet)` : profile,
        metrics.get(metric)?.label ?? metric,
        metrics.get(metric)?.unit ?? '',
        band('medium'),
        band('high'),
        `${delayS} s`,
        String(hysteresis),
      ];
    });
  });
  return table(
    ['profile', 'metric', 'unit', 'medium low / high', 'high low / high', 'delay', 'hysteresis'],
    rows,
  );
}

/** What nobody may set. */
export function rangeTable(): string {
  return table(
    ['what', 'refused'],
    [
      ...Object.entries(lifeCritical).map(([line, [low, high]]) => [
        `a limit on ${line}`,
        `below ${low} or above ${high}`,
      ]),
      ['a low limit on saturation', `below ${saturationLowest}`],
      ['the delay of a high band', `longer than ${highBandDelayS} s`],
      ['the delay of any band', `longer than ${longestDelayS} s`],
      ['a low limit', 'not below the high limit of the same priority'],
    ],
  );
}

/** Which source judges first. */
export function sourcesTable(): string {
  return table(
    ['quantity', 'sources, most preferred first'],
    Object.entries(sourceOrder).map(([line, list]) => [line, list.map((one) => `\`${one}\``).join(' → ')]),
  );
}

/** How long people's acts hold. */
export function realarmTable(): string {
  const seconds = (ms: number): string => `${ms / 1_000} s`;
  return table(
    ['priority', 'an acknowledgement rests, and reminders come, for', 'an acceptance is waited for'],
    [...priorities]
      .reverse()
      .map((priority) => [priority, seconds(realarmMs[priority]), seconds(patienceMs[priority])]),
  );
}

/** The longest pauses. */
export function pauseTable(): string {
  return table(
    ['what', 'longest', 'who', 'latching classes'],
    [
      [
        'audio pause',
        `${longestPauseMs.audioPaused / 1_000} s`,
        'the assigned or the charge nurse',
        'allowed',
      ],
      [
        'alarm pause, with a reason',
        `${longestPauseMs.alarmPaused / 1_000} s`,
        'the assigned nurse',
        'never',
      ],
      ['audio off, alarm off, with a reason', 'untimed, with reminders', 'charge nurse, physician', 'never'],
    ],
  );
}

/** Technical alarms: when, whose, how urgent, until when. */
export function technicalTable(): string {
  const rows = technicalConditions.map(({ condition, when, owner, priority, ends }) => [
    `\`${condition}\``,
    when,
    owner,
    priority,
    ends,
  ]);
  return `${table(['condition', 'raised when', 'owner', 'priority', 'ends'], rows)}

Critical metrics by default (a ward setting): ${criticalMetrics.map((one) => `\`${one}\``).join(', ')}.`;
}

/** The parts of docs/alarms.md by name. */
export const alarmTables: Readonly<Record<string, () => string>> = {
  presence: presenceTable,
  signal: signalTable,
  inactivation: inactivationTable,
  responsibility: responsibilityTable,
  delivery: deliveryTable,
  redirection: redirectionTable,
  defaults: defaultsTable,
  range: rangeTable,
  sources: sourcesTable,
  realarm: realarmTable,
  pauses: pauseTable,
  technical: technicalTable,
};

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
