import { priorities, type Priority } from '../../model/alarm.ts';
import { profiles } from '../../model/census.ts';
import { metrics } from '../../model/metric-table.ts';
import { highBandDelayS, lifeCritical, longestDelayS, saturationLowest } from '../census/limit-range.ts';
import { realarmMs } from './acts.ts';
import { technicalConditions } from './conditions.ts';
import { defaultLimits, unconfirmedProfiles } from './defaults.ts';
import { presence, presenceEvents, presences, step } from './presence.ts';
import { criticalMetrics, sourceOrder } from './source-order.ts';

// The tables of docs/alarms.md, made from what the code does: a nurse checks the page, a test holds it to the code.

/** Presence and delay of one limit: a row a state, a column an event; empty = nothing happens. */
export function presenceTable(): string {
  const cell = (state: (typeof presences)[number], event: (typeof presenceEvents)[number]): string => {
    if (presence[state][event] === undefined) return '';
    const [next, ...effects] = step(presence, state, event);
    return effects.length === 0 ? `→ ${next}` : `→ ${next}: ${effects.join(', ')}`;
  };
  return table(
    ['presence', ...presenceEvents],
    presences.map((state) => [`**${state}**`, ...presenceEvents.map((event) => cell(state, event))]),
  );
}

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

/** Acknowledged signals come back. */
export function realarmTable(): string {
  return table(
    ['priority', 'rests for'],
    [...priorities].reverse().map((priority) => [priority, `${realarmMs[priority] / 1_000} s`]),
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
  defaults: defaultsTable,
  range: rangeTable,
  sources: sourcesTable,
  realarm: realarmTable,
  technical: technicalTable,
};

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
