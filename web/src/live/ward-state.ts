import { computed, signal } from '@preact/signals';
import { priorities, type Alarm } from '../../../model/alarm.ts';
import type { Role } from '../../../model/person.ts';
import type { BedView, LatestValue, WatchMessage } from '../../../model/stream.ts';
import { monotonic, now } from '../clock.ts';

/** Everything the ward page shows, as the stream told it last. Values stay when the connection goes: with their age. */
export const beds = signal<ReadonlyMap<string, BedView>>(new Map());
export const alarms = signal<ReadonlyMap<string, Alarm>>(new Map());
export const demo = signal(false);
/** Somebody relies on this screen: from sign-in until a person signs out. */
export const watching = signal(false);
/** Monotonic instant of the newest message; the gateway beats every 2 s. */
export const heardAt = signal(0);
/** Gateway time minus this screen's: ages are told in gateway time whatever this clock says. */
const offsetMs = signal(0);
/** Moves once a second. */
export const tick = signal(0);

export const gatewayNow = (): number => {
  void tick.value;
  return now() + offsetMs.value;
};

/** Two beats missed: with the quarter second between two looks at it, the banner stands within 5 s. */
export const silentAfterMs = 4_000;
/** How long the gateway has been silent, in whole seconds as ms; 0 while it is heard. */
export const silentForMs = signal(0);

/** Called four times a second, so that silence is seen in time whatever else happens. */
export function lookForSilence(): void {
  const silentMs = monotonic() - heardAt.value;
  const told = watching.value && silentMs > silentAfterMs ? Math.floor(silentMs / 1_000) * 1_000 : 0;
  if (told !== silentForMs.value) silentForMs.value = told;
}

export function startWatching(): void {
  heardAt.value = monotonic();
  watching.value = true;
}

/** A person signed out: nothing of the ward stays on this screen, and it does not sound. */
export function stopWatching(): void {
  watching.value = false;
  silentForMs.value = 0;
  beds.value = new Map();
  alarms.value = new Map();
}

/** As they stand on the wall: 2 before 10. Never in another order. */
const collator = new Intl.Collator('en', { numeric: true });
export const byLabel = (a: string, b: string): number => collator.compare(a, b);
export const bedsInOrder = computed(() =>
  [...beds.value.values()].toSorted((a, b) => byLabel(a.ward, b.ward) || byLabel(a.label, b.label)),
);

/** What the person at this screen may do. */
export const roles = signal<readonly Role[]>([]);

/** What concerns this person, highest priority first, then the oldest. */
export const activeAlarms = computed(() =>
  [...alarms.value.values()]
    .filter((alarm) => alarm.signal !== 'off' && concerns(alarm, roles.value))
    .toSorted(byUrgency),
);

/** Disk, clock and parts of the gateway ring at who can mend them, not at the bedside (CLINICAL 6). */
const concerns = ({ owner }: Alarm, own: readonly Role[]): boolean =>
  owner === undefined || owner === 'nurse' || own.includes('biomed') || own.includes('admin');

/** The beds an alarm is about: one, or those that a cut cable or host silenced together. */
export const isAbout = (alarm: Alarm, bed: BedView['bed']): boolean =>
  alarm.bed === undefined
    ? String(alarm.details?.['bedIds'] ?? '')
        .split(' ')
        .includes(bed)
    : alarm.bed === bed;

const byUrgency = (a: Alarm, b: Alarm): number =>
  priorities.indexOf(b.priority) - priorities.indexOf(a.priority) || a.raisedAtMs - b.raisedAtMs;

/** The priority that must be heard now: the most urgent that nobody has quieted. */
export const ringing = computed(
  () => activeAlarms.value.find((alarm) => alarm.inactivation === 'enabled')?.priority,
);

/** Takes one message of the stream in. */
export function take(message: WatchMessage): void {
  heardAt.value = monotonic();
  lookForSilence();
  if ('beat' in message) {
    offsetMs.value = message.beat.nowMs - now();
    return;
  }
  if ('snapshot' in message) {
    const { snapshot } = message;
    offsetMs.value = snapshot.nowMs - now();
    demo.value = snapshot.demo;
    beds.value = new Map(snapshot.beds.map((bed) => [bed.bed, bed]));
    alarms.value = new Map(snapshot.alarms.map((alarm) => [alarm.id, alarm]));
    return;
  }
  if ('alarm' in message) {
    const next = new Map(alarms.value);
    if (message.alarm.signal === 'off') next.delete(message.alarm.id);
    else next.set(message.alarm.id, message.alarm);
    alarms.value = next;
    return;
  }
  if ('bed' in message) beds.value = new Map(beds.value).set(message.bed.bed, message.bed);
  else merge(message.values.bed, message.values.values);
}

function merge(bed: string, values: readonly LatestValue[]): void {
  const known = beds.value.get(bed);
  if (!known) return;
  const merged = new Map(known.values.map((value) => [keyOf(value), value]));
  for (const value of values) merged.set(keyOf(value), value);
  beds.value = new Map(beds.value).set(bed, { ...known, values: [...merged.values()] });
}

const keyOf = (value: LatestValue): string => `${value.device} ${value.metric} ${value.channel ?? ''}`;
