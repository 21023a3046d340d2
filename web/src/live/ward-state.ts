import { computed, signal } from '@preact/signals';
import { priorities, type Alarm } from '../../../model/alarm.ts';
import type { BedView, LatestValue, StreamMessage } from '../../../model/stream.ts';
import { monotonic, now } from '../clock.ts';

/** Everything the ward page shows, as the stream told it last. Values stay when the connection goes: with their age. */
export const beds = signal<ReadonlyMap<string, BedView>>(new Map());
export const alarms = signal<ReadonlyMap<string, Alarm>>(new Map());
export const demo = signal(false);
/** Monotonic instant of the newest message; the gateway beats every 2 s. */
export const heardAt = signal(monotonic());
/** Gateway time minus this screen's: ages are told in gateway time whatever this clock says. */
const offsetMs = signal(0);
/** Moves once a second, and with every message. */
export const tick = signal(0);

export const gatewayNow = (): number => {
  void tick.value;
  return now() + offsetMs.value;
};

/** Silent for so long, ms: two beats missed and a little. */
const silentAfterMs = 4_500;
export const silentForMs = computed(() => {
  void tick.value;
  const silentMs = monotonic() - heardAt.value;
  return silentMs > silentAfterMs ? silentMs : 0;
});

/** Highest priority first, then the oldest. */
export const activeAlarms = computed(() =>
  [...alarms.value.values()].filter((alarm) => alarm.signal !== 'off').toSorted(byUrgency),
);

const byUrgency = (a: Alarm, b: Alarm): number =>
  priorities.indexOf(b.priority) - priorities.indexOf(a.priority) || a.raisedAtMs - b.raisedAtMs;

/** The priority that must be heard now: present, and quieted by nobody. */
export const ringing = computed(
  () => activeAlarms.value.find((alarm) => alarm.inactivation === 'enabled')?.priority,
);

export function take(message: StreamMessage): void {
  heardAt.value = monotonic();
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
