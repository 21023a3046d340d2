import type { Clock } from '../../model/clock.ts';
import type { Chance } from '../../model/ids.ts';
import type { House } from '../house.ts';
import { openPeople, type PeopleAct } from '../people/people.ts';
import { watchAssigned } from '../people/watch-assigned.ts';
import { Deliveries } from './delivery.ts';

/**
 * Opens the people's room and the deliveries, and joins them to the alarms; answers how to close both. After the alarms
 * were restored, before anything new is judged.
 */
export async function openDeliveries(
  house: House,
  { clock, chance, audit }: { clock: Clock; chance: Chance; audit: (act: PeopleAct) => void },
): Promise<() => void> {
  const { rows, census, alarms, identity } = house;
  const people = await openPeople({
    clock,
    chance,
    rows,
    audit,
    person: (id) => identity.byId(id),
    bed: (id) => census.bed(id),
  });
  const deliveries = new Deliveries({
    clock,
    chance,
    alarms,
    people,
    rows,
    audit,
    bed: (id) => census.bed(id),
    took: (hop, ms) => house.metrics.hopTook(hop, ms),
    outlets: house.alarmOutlets,
  });
  house.people = people;
  house.deliveries = deliveries;
  deliveries.start();
  const stopWatching = watchAssigned({
    clock,
    people,
    technical: alarms.technical,
    bed: (id) => census.bed(id),
    watchedBeds: () => new Set(census.associations({ open: true }).map((association) => association.bed)),
  });
  return () => {
    stopWatching();
    deliveries.close();
    people.close();
  };
}
