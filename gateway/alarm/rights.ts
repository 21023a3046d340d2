import type { Alarm } from '../../model/alarm.ts';
import type { BedId, WardId } from '../../model/ids.ts';
import type { Person, Role } from '../../model/person.ts';

/** The acts on an alarm that need a right beyond being of the ward. */
type LimitedAct = 'pauseAudio' | 'pauseAlarm' | 'switchOff';

/** Who may do what to an alarm (CLINICAL 4). `assigned`: whether the person has that bed now. */
export function alarmRights(known: { readonly assigned: (person: Person, bed: BedId) => boolean }) {
  const assigned = (person: Person, { bed }: Alarm): boolean =>
    bed === undefined || known.assigned(person, bed);
  return {
    may: (person: Person, act: string, alarm: Alarm): boolean => {
      if (alarm.ward !== undefined && !isOf(person, alarm.ward)) return false;
      switch (act as LimitedAct) {
        case 'pauseAudio':
          return has(person, 'charge-nurse') || (has(person, 'nurse') && assigned(person, alarm));
        case 'pauseAlarm':
          return has(person, 'nurse', 'charge-nurse') && assigned(person, alarm);
        case 'switchOff':
          return has(person, 'charge-nurse', 'physician');
        default:
          return has(person, 'nurse', 'charge-nurse') || (act === 'resume' && has(person, 'physician'));
      }
    },
  };
}

const isOf = (person: Person, ward: WardId): boolean => person.wards === 'all' || person.wards.includes(ward);
const has = (person: Person, ...wanted: readonly Role[]): boolean =>
  person.roles.some((role) => wanted.includes(role));
