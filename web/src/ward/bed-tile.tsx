import type { ComponentChildren } from 'preact';
import { priorities, type Alarm } from '../../../model/alarm.ts';
import type { Role } from '../../../model/person.ts';
import type { BedView, DeviceAtBed } from '../../../model/stream.ts';
import { activeAlarms, gatewayNow, isAbout, roles } from '../live/ward-state.ts';
import { clockTime, words, yearsOld } from '../words.ts';
import { PressureValue, SmallValue, Value } from './value.tsx';
import { arrange, quantityOf } from './vital-signs.ts';

/** One bed: quiet while all is well; the alarming one is inverted, with shape and word as well as colour. */
export function BedTile({ bed }: { bed: BedView }) {
  const own = activeAlarms.value.filter((alarm) => isAbout(alarm, bed.bed));
  const worst = own.find((alarm) => alarm.inactivation === 'enabled') ?? own[0];
  return (
    <article class={`tile ${worst ? alarmClass(worst) : ''}`} aria-label={words.bed(bed.label)}>
      <div class="tile-head">
        <h2>{bed.label}</h2>
        <span class="patient">{patientOf(bed)}</span>
        {bed.monitoring === 'on' ? null : <span class="state">{words.monitoring[bed.monitoring]}</span>}
        {worst ? <Shape alarm={worst} /> : null}
      </div>
      <Values bed={bed} alarms={own} />
      {bed.devices.map((device) => (
        <DeviceTrouble key={device.device} device={device} />
      ))}
    </article>
  );
}

function Values({ bed, alarms }: { bed: BedView; alarms: readonly Alarm[] }) {
  if (bed.devices.length === 0) return <Plain>{words.noDevice}</Plain>;
  if (bed.values.length === 0) return <Plain>{words.noValues}</Plain>;
  const { rate, saturation, respiration, pressure, rest } = arrange(bed.values, gatewayNow());
  const crossed = (metric: string | undefined): boolean =>
    metric !== undefined && alarms.some((alarm) => isCrossed(alarm, metric));
  return (
    <>
      <ul class="values">
        {rate ? <Value place="rate" value={rate} bed={bed} violating={crossed(rate.metric)} /> : null}
        {saturation ? (
          <Value place="saturation" value={saturation} bed={bed} violating={crossed(saturation.metric)} />
        ) : null}
        {respiration ? (
          <Value place="respiration" value={respiration} bed={bed} violating={crossed(respiration.metric)} />
        ) : null}
        {pressure ? (
          <PressureValue
            pressure={pressure}
            bed={bed}
            violating={Object.values(pressure).some((part) => crossed(part?.metric))}
          />
        ) : null}
      </ul>
      {rest.length === 0 ? null : (
        <ul class="rest">
          {rest.map((value) => (
            <SmallValue key={`${value.device} ${value.metric} ${value.channel ?? ''}`} value={value} />
          ))}
        </ul>
      )}
    </>
  );
}

const isCrossed = (alarm: Alarm, metric: string): boolean =>
  alarm.kind === 'physiological' &&
  alarm.presence !== 'absent' &&
  alarm.metric !== undefined &&
  (alarm.metric === metric ||
    (quantityOf(metric) !== 'other' && quantityOf(alarm.metric) === quantityOf(metric)));

const Plain = ({ children }: { children: ComponentChildren }) => <p class="plain">{children}</p>;

/** A device that does not talk, or says of itself that it is not at work. */
function DeviceTrouble({ device }: { device: DeviceAtBed }) {
  const { label, link, lastMessageAtMs, mode } = device;
  const since = lastMessageAtMs === undefined ? undefined : clockTime(lastMessageAtMs);
  if (link === 'never-seen') return <Plain>{words.neverHeard(label)}</Plain>;
  if (link !== 'connected') return <Plain>{words.lost(label, since)}</Plain>;
  if (mode === undefined || mode === 'operating') return null;
  return (
    <Plain>
      {label} {words.deviceMode[mode]}
    </Plain>
  );
}

/** Who is told whose bed it is; to the others the gateway sends no patient at all. */
const knowingPatients: readonly Role[] = ['nurse', 'charge-nurse', 'physician', 'display'];

/** Name and age, for whoever may know them. */
export function patientOf(bed: BedView): string {
  const { patient, encounter } = bed;
  if (!roles.value.some((role) => knowingPatients.includes(role))) return '';
  if (!patient) return encounter ? words.nameUnknown : words.noPatient;
  const years = yearsOld(patient.birthDate, gatewayNow());
  return [patient.name ?? words.nameUnknown, years].filter((part) => part !== undefined).join(', ');
}

export const alarmClass = (alarm: Alarm): string =>
  `alarm ${alarm.priority} ${alarm.inactivation === 'enabled' ? '' : 'quieted'}`;

/** One mark for low, two for medium, three for high; hollow for a technical alarm; and the word. */
export function Shape({ alarm }: { alarm: Alarm }) {
  const mark = (alarm.kind === 'technical' ? '△' : '▲').repeat(priorities.indexOf(alarm.priority) + 1);
  return (
    <span class="shape">
      <span aria-hidden="true">{mark}</span> <span class="word">{words.priority[alarm.priority]}</span>
    </span>
  );
}
