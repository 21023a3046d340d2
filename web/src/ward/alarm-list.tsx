import { signal } from '@preact/signals';
import type { Alarm } from '../../../model/alarm.ts';
import type { Role } from '../../../model/person.ts';
import { call } from '../api.ts';
import { activeAlarms, beds, gatewayNow } from '../live/ward-state.ts';
import { ageInWords, technicalWords } from '../words.ts';
import { Shape } from './bed-tile.tsx';

/** Acts asked for and not yet answered by the gateway: never shown as done before it says so. */
const asked = signal<ReadonlySet<string>>(new Set());
const refused = signal<ReadonlyMap<string, string>>(new Map());

export function AlarmList({ roles }: { roles: readonly Role[] }) {
  const list = activeAlarms.value;
  const mayAcknowledge =
    roles.includes('nurse') || roles.includes('charge-nurse') || roles.includes('physician');
  return (
    <aside class="alarms" aria-label="Alarms">
      <h2>Alarms {list.length > 0 ? list.length : ''}</h2>
      {list.length === 0 ? <p class="plain">None.</p> : null}
      <ol>
        {list.map((alarm) => (
          <AlarmRow key={alarm.id} alarm={alarm} mayAcknowledge={mayAcknowledge} />
        ))}
      </ol>
    </aside>
  );
}

function AlarmRow({ alarm, mayAcknowledge }: { alarm: Alarm; mayAcknowledge: boolean }) {
  const bed = alarm.bed === undefined ? undefined : beds.value.get(alarm.bed);
  const quieted = alarm.inactivation !== 'enabled';
  return (
    <li class={`row alarm ${alarm.priority} ${alarm.kind} ${quieted ? 'quieted' : ''}`}>
      <div class="row-head">
        <strong>{bed ? `Bed ${bed.label}` : 'Vigil'}</strong>
        <Shape alarm={alarm} />
        <time>{ageInWords(gatewayNow() - alarm.raisedAtMs)}</time>
      </div>
      <p class="what">{whatOf(alarm, bed?.values.find((value) => value.metric === alarm.metric)?.label)}</p>
      {alarm.recorded ? null : <p class="small">not recorded yet</p>}
      {quieted ? <p class="small">{quietWords(alarm)}</p> : null}
      {refused.value.has(alarm.id) ? (
        <p class="small" role="alert">
          {refused.value.get(alarm.id)}
        </p>
      ) : null}
      {mayAcknowledge && !quieted ? (
        <button class="act" disabled={asked.value.has(alarm.id)} onClick={() => void acknowledge(alarm)}>
          {asked.value.has(alarm.id) ? 'Acknowledging…' : 'Acknowledge'}
        </button>
      ) : null}
    </li>
  );
}

function whatOf(alarm: Alarm, label: string | undefined): string {
  if (alarm.kind === 'technical') {
    const { says, next } = technicalWords(alarm);
    return `${says}. ${next}`;
  }
  const value = alarm.value === undefined ? '' : ` ${alarm.value}`;
  const lost = alarm.presence === 'sourceLost' ? ', measurement lost since' : '';
  const limit = alarm.limit === undefined ? '' : ` · limit ${alarm.limit}`;
  return `${label ?? alarm.metric ?? ''}${value} ${alarm.direction ?? ''}${limit}${alarm.questionable ? ' · uncertain' : ''}${lost}`;
}

const quietWords = (alarm: Alarm): string =>
  alarm.realarmAtMs === undefined
    ? `${alarm.inactivation}; the monitor keeps sounding`
    : `acknowledged; rings again in ${ageInWords(alarm.realarmAtMs - gatewayNow())} if still present. The monitor keeps sounding.`;

async function acknowledge(alarm: Alarm): Promise<void> {
  asked.value = new Set(asked.value).add(alarm.id);
  const answer = await call('POST', `/alarms/${alarm.id}/acknowledge`, { version: alarm.version });
  const left = new Set(asked.value);
  left.delete(alarm.id);
  asked.value = left;
  const told = new Map(refused.value);
  if ('problem' in answer) told.set(alarm.id, answer.problem.detail ?? answer.problem.title);
  else told.delete(alarm.id);
  refused.value = told;
}
