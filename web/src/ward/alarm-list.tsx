import { signal } from '@preact/signals';
import { metrics } from '../../../model/metric-table.ts';
import type { Alarm } from '../../../model/alarm.ts';
import type { BedView } from '../../../model/stream.ts';
import type { Role } from '../../../model/person.ts';
import { call } from '../api.ts';
import { activeAlarms, beds, byLabel, gatewayNow, roles } from '../live/ward-state.ts';
import { ageInWords, clockTime, problemWords, technicalWords, unitInWords, words } from '../words.ts';
import { alarmClass, patientOf, Shape } from './bed-tile.tsx';
import { standingOf } from './vital-signs.ts';

/** Acts asked for and not yet answered by the gateway: never shown as done before it says so. */
const asked = signal<ReadonlySet<string>>(new Set());
const refused = signal<ReadonlyMap<string, string>>(new Map());

const acknowledging: readonly Role[] = ['nurse', 'charge-nurse'];

/** All that is active, the most urgent first; none hides another's count. */
export function AlarmList() {
  const list = activeAlarms.value;
  const mayAcknowledge = roles.value.some((role) => acknowledging.includes(role));
  return (
    <section class="alarms" aria-label={words.alarms} tabindex={list.length > 0 ? 0 : undefined}>
      <h2>
        {words.alarms} {list.length > 0 ? list.length : ''}
      </h2>
      {list.length === 0 ? <p class="plain">{words.noAlarms}</p> : null}
      <ol>
        {list.map((alarm) => (
          <AlarmRow key={alarm.id} alarm={alarm} mayAcknowledge={mayAcknowledge} />
        ))}
      </ol>
      {list.length > 0 && mayAcknowledge ? <p class="note">{words.acknowledgeMeans}</p> : null}
    </section>
  );
}

/** Read out by a screen reader when it changes: the most urgent alarm nobody has quieted. */
export function Announcement() {
  const first = activeAlarms.value.find((alarm) => alarm.inactivation === 'enabled');
  const bed = first?.bed === undefined ? undefined : beds.value.get(first.bed);
  return (
    <p class="hidden" role="alert">
      {first ? `${placeOf(first, bed)}: ${headline(first)}` : ''}
    </p>
  );
}

function AlarmRow({ alarm, mayAcknowledge }: { alarm: Alarm; mayAcknowledge: boolean }) {
  const bed = alarm.bed === undefined ? undefined : beds.value.get(alarm.bed);
  const quieted = alarm.inactivation !== 'enabled';
  const place = placeOf(alarm, bed);
  return (
    <li class={`row ${alarmClass(alarm)}`} tabindex={-1}>
      <div class="row-head">
        <h3>{place}</h3>
        <Shape alarm={alarm} />
        <time>{ageInWords(gatewayNow() - alarm.raisedAtMs)}</time>
      </div>
      {bed?.patient ? <p class="patient">{patientOf(bed)}</p> : null}
      {alarm.kind === 'technical' ? <Technical alarm={alarm} /> : <Physiological alarm={alarm} bed={bed} />}
      {alarm.recorded ? null : <p class="small">{words.notRecorded}</p>}
      {quieted ? <p class="small">{quietWords(alarm)}</p> : null}
      {refused.value.has(alarm.id) ? (
        <p class="small" role="alert">
          {refused.value.get(alarm.id)}
        </p>
      ) : null}
      {mayAcknowledge && !quieted ? (
        <button
          type="button"
          class="act"
          aria-label={`${words.acknowledge} ${place}, ${headline(alarm)}`}
          disabled={asked.value.has(alarm.id)}
          onClick={(event) => void acknowledge(alarm, event.currentTarget)}
        >
          {asked.value.has(alarm.id) ? words.acknowledging : words.acknowledge}
        </button>
      ) : null}
    </li>
  );
}

function Technical({ alarm }: { alarm: Alarm }) {
  const { says, next } = technicalWords(alarm);
  return (
    <>
      <p class="what">{says}</p>
      <p class="small">{next}</p>
    </>
  );
}

function Physiological({ alarm, bed }: { alarm: Alarm; bed: BedView | undefined }) {
  const { direction, limit, peak } = alarm;
  const value = newest(alarm, bed);
  const further = direction === 'low' ? -1 : 1;
  const marks = [
    limit === undefined ? undefined : `${words.limit} ${inDecimals(alarm, limit)}`,
    direction && peak !== undefined && value !== undefined && (peak - value) * further > 0
      ? `${words.peak[direction]} ${inDecimals(alarm, peak)}`
      : undefined,
    alarm.questionable ? words.uncertain : undefined,
    alarm.presence === 'sourceLost' ? words.measurementLost : undefined,
    alarm.presence === 'absent' ? words.over : undefined,
  ].filter((mark) => mark !== undefined);
  return (
    <>
      <p class="what">
        <span>{labelOf(alarm)}</span>{' '}
        <span class="figure">{value === undefined ? '–' : inDecimals(alarm, value)}</span>{' '}
        <span class="unit">{unitInWords(alarm.unit ?? '1')}</span>
      </p>
      <p class="small">{marks.join(', ')}</p>
    </>
  );
}

/** As the tile shows it, so that the two never differ; else the value it was last judged by. */
function newest(alarm: Alarm, bed: BedView | undefined): number | undefined {
  const shown = bed?.values.find(
    (value) =>
      value.device === alarm.device && value.metric === alarm.metric && value.channel === alarm.channel,
  );
  return shown && typeof shown.value === 'number' && standingOf(shown, gatewayNow()) === 'valid'
    ? shown.value
    : alarm.value;
}

/** Its bed; the beds of one cut cable or host together; or the gateway itself. */
function placeOf(alarm: Alarm, bed: BedView | undefined): string {
  if (bed) return words.bed(bed.label);
  const labels = alarm.details?.['beds'];
  if (labels === undefined || labels === '') return words.product;
  return words.bedsTogether(String(labels).split(', ').toSorted(byLabel).join(', '));
}

/** One line that does not change while the alarm is the same. */
const headline = (alarm: Alarm): string => {
  if (alarm.kind === 'technical') return technicalWords(alarm).says;
  const { direction, limit } = alarm;
  if (direction === undefined || limit === undefined) return labelOf(alarm);
  return `${labelOf(alarm)}, ${words.limitOf[direction]} ${inDecimals(alarm, limit)}`;
};

const labelOf = (alarm: Alarm): string =>
  alarm.metric === undefined ? '' : (metrics.get(alarm.metric)?.label ?? alarm.metric);

const inDecimals = (alarm: Alarm, value: number): string =>
  value.toFixed(alarm.metric === undefined ? 0 : (metrics.get(alarm.metric)?.decimals ?? 0));

function quietWords(alarm: Alarm): string {
  const { acknowledgedBy, acknowledgedAtMs, realarmAtMs, inactivation } = alarm;
  const who =
    acknowledgedBy === undefined || acknowledgedAtMs === undefined
      ? inactivation
      : words.acknowledgedBy(acknowledgedBy, clockTime(acknowledgedAtMs));
  if (realarmAtMs === undefined) return who;
  const leftMs = realarmAtMs - gatewayNow();
  return `${who} ${leftMs < 1_000 ? words.ringsAgainSoon : words.ringsAgain(ageInWords(leftMs))}`;
}

/** The keyboard stays at the alarm when its button goes. */
async function acknowledge(alarm: Alarm, button: HTMLElement): Promise<void> {
  const row = button.closest('li');
  asked.value = new Set(asked.value).add(alarm.id);
  const answer = await call('POST', `/alarms/${alarm.id}/acknowledge`, { version: alarm.version });
  const left = new Set(asked.value);
  left.delete(alarm.id);
  asked.value = left;
  const told = new Map(refused.value);
  if ('problem' in answer) told.set(alarm.id, problemWords(answer.problem));
  else told.delete(alarm.id);
  refused.value = told;
  if ('body' in answer) row?.focus();
}
