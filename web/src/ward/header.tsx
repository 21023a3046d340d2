import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Ward } from '../../../model/census.ts';
import { call, type Session } from '../api.ts';
import { every } from '../clock.ts';
import { bedsInOrder, demo, gatewayNow, silentForMs } from '../live/ward-state.ts';
import { audible, sounding } from '../sound.ts';
import { ageInWords, clockTime, words } from '../words.ts';

const wardNames = signal<readonly string[]>([]);

/** Whose screen it is, of which ward, and whether it can ring. */
export function Header({ session, signOut }: { session: Session; signOut: () => void }) {
  useEffect(() => {
    void call<{ items: readonly Ward[] }>('GET', '/wards').then((answer) => {
      if ('body' in answer) wardNames.value = answer.body.items.map((ward) => ward.name);
    });
  }, []);
  const names = wardNames.value;
  return (
    <header>
      <h1>{names.length > 1 ? words.wards(names.length) : (names[0] ?? words.ward)}</h1>
      {demo.value ? <strong class="demo">{words.demo}</strong> : null}
      <span class="who">{session.person.name}</span>
      <span class="sound" role="status">
        {soundWords()}
      </span>
      <time class="clock">{clockTime(gatewayNow())}</time>
      <button type="button" class="plain-act" onClick={signOut}>
        {words.signOut}
      </button>
    </header>
  );
}

function soundWords(): string {
  if (!audible.value) return words.soundOff;
  return sounding.value === undefined ? words.soundOn : words.ringing(sounding.value);
}

/** Within 5 s of the gateway's last word; the seconds are not read out each time they change. */
export function SilenceBanner() {
  const silentMs = silentForMs.value;
  if (silentMs === 0) return null;
  return (
    <p class="banner lost" role="alert">
      {words.notConnected} <span aria-hidden="true">{words.notConnectedFor(ageInWords(silentMs))}</span>:{' '}
      {words.notAlarmed}
    </p>
  );
}

const alarmDelayMs = signal<number | undefined>(undefined);
const healthEveryMs = 15_000;

/** The bottom line: devices lost, how late alarms are, and what Vigil is not. */
export function Footer() {
  useEffect(() => {
    void readHealth();
    return every(healthEveryMs, () => void readHealth());
  }, []);
  const devices = bedsInOrder.value.flatMap((bed) => bed.devices);
  const lost = devices.filter((device) => device.link !== 'connected').length;
  return (
    <footer>
      {devices.length === 0 ? null : (
        <span>
          {lost === 0 ? words.devicesConnected(devices.length) : words.devicesLost(lost, devices.length)}
        </span>
      )}
      {alarmDelayMs.value === undefined ? null : <span>{words.alarmDelay(alarmDelayMs.value)}</span>}
      <span>{words.supplemental}</span>
    </footer>
  );
}

async function readHealth(): Promise<void> {
  const health = await fetch('/health').then(
    (response) => response.json() as Promise<{ alarmLatencyMs: { p99: number; count: number } }>,
    () => undefined,
  );
  alarmDelayMs.value =
    health === undefined || health.alarmLatencyMs.count === 0 ? undefined : health.alarmLatencyMs.p99;
}
