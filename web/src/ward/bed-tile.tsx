import { priorities, type Alarm } from '../../../model/alarm.ts';
import type { BedView, LatestValue } from '../../../model/stream.ts';
import { activeAlarms, gatewayNow } from '../live/ward-state.ts';
import { ageInWords, clockTime, inWords } from '../words.ts';

/** Values of a tile, most looked-at first; the rest is on the bed's own page. */
const order = ['HR', 'PR', 'SpO2', 'RR', 'ABP', 'NIBP', 'etCO2', 'T'];
const mostValues = 8;
/** From here on a continuous value shows its age. */
const ageShownFromMs = 10_000;

/** One bed: quiet while all is well; the alarming one is inverted, with shape and word as well as colour. */
export function BedTile({ bed }: { bed: BedView }) {
  const own = activeAlarms.value.filter((alarm) => alarm.bed === bed.bed);
  const worst = own[0];
  const quieted = worst !== undefined && worst.inactivation !== 'enabled';
  return (
    <article
      class={`tile ${worst ? `alarm ${worst.priority} ${worst.kind} ${quieted ? 'quieted' : ''}` : ''}`}
      aria-label={`Bed ${bed.label}`}
    >
      <div class="tile-head">
        <h2>{bed.label}</h2>
        <span class="patient">{bed.patient?.name ?? (bed.encounter ? 'name not known' : 'no patient')}</span>
        <span class="state">{bed.monitoring === 'on' ? '' : bed.monitoring}</span>
        {worst ? <Shape alarm={worst} /> : null}
      </div>
      <div class="values">
        {shown(bed.values).map((value) => (
          <Value
            key={`${value.device} ${value.metric} ${value.channel ?? ''}`}
            value={value}
            bed={bed}
            alarms={own}
          />
        ))}
        {bed.values.length === 0 ? (
          <p class="plain">{bed.devices.length === 0 ? 'no device' : 'no values yet'}</p>
        ) : null}
      </div>
    </article>
  );
}

export function Shape({ alarm }: { alarm: Alarm }) {
  const mark = (alarm.kind === 'technical' ? '△' : '▲').repeat(priorities.indexOf(alarm.priority) + 1);
  return (
    <span class="shape" title={`${alarm.priority} priority`}>
      {mark} <span class="word">{alarm.priority}</span>
    </span>
  );
}

function Value({ value, bed, alarms }: { value: LatestValue; bed: BedView; alarms: readonly Alarm[] }) {
  const ageMs = gatewayNow() - value.takenAtMs;
  const stale = value.staleAfterMs !== undefined && ageMs > value.staleAfterMs;
  const violating = alarms.some((alarm) => alarm.metric === value.metric && alarm.presence === 'present');
  const limits = bed.limits.filter((limit) => limit.metric === value.metric && limit.priority === 'medium');
  const limit = (direction: 'high' | 'low') => limits.find((one) => one.direction === direction)?.value;
  const usable = value.value !== null || value.text !== undefined || value.code !== undefined;
  const kind = stale ? 'stale' : usable && value.validity !== 'invalid' ? value.validity : 'missing';
  return (
    <div class={`value ${kind} ${violating ? 'violating' : ''}`}>
      <span class="label">{value.channel ? `${value.label} ${value.channel}` : value.label}</span>
      <span class="figure">
        {kind === 'missing' ? '–' : figure(value)}
        {kind === 'questionable' ? <span class="doubt">?</span> : null}
      </span>
      <span class="unit">{kind === 'missing' ? inWords(value.reason) : unitInWords(value.unit)}</span>
      <span class="limits">
        <span>{limit('high') ?? ''}</span>
        <span>{limit('low') ?? ''}</span>
      </span>
      <span class="age">{age(value, ageMs)}</span>
    </div>
  );
}

const figure = (value: LatestValue): string =>
  value.value === null ? (value.text ?? value.code ?? '–') : value.value.toFixed(value.decimals);

const age = (value: LatestValue, ageMs: number): string => {
  if (value.episodic) return `${clockTime(value.takenAtMs)} · ${ageInWords(ageMs)} ago`;
  return ageMs >= ageShownFromMs ? `${ageInWords(ageMs)} ago` : '';
};

const units: Readonly<Record<string, string>> = {
  '/min': '/min',
  '%': '%',
  'mm[Hg]': 'mmHg',
  Cel: '°C',
  'cm[H2O]': 'cmH₂O',
  '1': '',
};
const unitInWords = (ucum: string): string => units[ucum] ?? ucum;

function shown(values: readonly LatestValue[]): LatestValue[] {
  const rank = (value: LatestValue): number => {
    const at = order.findIndex((label) => value.label.startsWith(label));
    return at < 0 ? order.length : at;
  };
  return values.toSorted((a, b) => rank(a) - rank(b)).slice(0, mostValues);
}
