import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { call, type Session } from '../api.ts';
import { allowSound, audible } from '../sound.ts';
import { beds, demo, gatewayNow, silentForMs } from '../live/ward-state.ts';
import { openStream, type StreamClient } from '../live/stream-client.ts';
import { ageInWords, clockTime } from '../words.ts';
import { AlarmList } from './alarm-list.tsx';
import { BedTile } from './bed-tile.tsx';
import { SignIn } from './sign-in.tsx';

type Standing = 'asking' | 'signed-out' | Session;
const standing = signal<Standing>('asking');
let stream: StreamClient | undefined;

const start = (session: Session): void => {
  standing.value = session;
  demo.value = session.demo;
  stream ??= openStream(() => audible.value);
};

const signOut = async (): Promise<void> => {
  await call('DELETE', '/session');
  stream?.close();
  stream = undefined;
  standing.value = 'signed-out';
};

/** The whole of /ward: sign in, then the beds. */
export function WardPage() {
  useEffect(() => {
    void call<Session>('GET', '/session').then((answer) => {
      if ('body' in answer) start(answer.body);
      else standing.value = 'signed-out';
    });
  }, []);
  const now = standing.value;
  if (now === 'asking') return <p class="plain">Loading…</p>;
  if (now === 'signed-out') return <SignIn signedIn={start} />;
  return (
    <div class="board">
      <Header session={now} />
      <SilenceBanner />
      {audible.value ? null : (
        <button class="banner quiet" onClick={() => void allowSound()}>
          This screen is not allowed to sound yet. Touch here to let it ring.
        </button>
      )}
      <section class="beds" aria-label="Beds">
        {[...beds.value.values()].map((bed) => (
          <BedTile key={bed.bed} bed={bed} />
        ))}
        {beds.value.size === 0 ? (
          <p class="plain">No beds yet. An administrator makes wards and beds; then they appear here.</p>
        ) : null}
      </section>
      <AlarmList roles={now.person.roles} />
      <footer>Supplemental: the monitor is the primary alarm. Vigil only reads from devices.</footer>
    </div>
  );
}

function Header({ session }: { session: Session }) {
  return (
    <header>
      <h1>Ward</h1>
      {demo.value ? <strong class="demo">DEMO · no real patients</strong> : null}
      <span class="who">{session.person.name}</span>
      <time>{clockTime(gatewayNow())}</time>
      <button class="plain-act" onClick={() => void signOut()}>
        Sign out
      </button>
    </header>
  );
}

function SilenceBanner() {
  const silentMs = silentForMs.value;
  if (silentMs === 0) return null;
  return (
    <p class="banner lost" role="alert">
      Not connected for {ageInWords(silentMs)}: you are not being alarmed by Vigil. Values below are old.
    </p>
  );
}
