import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { call, type Session } from '../api.ts';
import { bedsInOrder, demo, roles } from '../live/ward-state.ts';
import { openStream, type StreamClient } from '../live/stream-client.ts';
import { allowSound, audible } from '../sound.ts';
import { words } from '../words.ts';
import { AlarmList, Announcement } from './alarm-list.tsx';
import { BedTile } from './bed-tile.tsx';
import { columns } from './fit.ts';
import { Footer, Header, SilenceBanner } from './header.tsx';
import { SignIn } from './sign-in.tsx';

type Standing = 'asking' | 'signed-out' | 'ended-by-gateway' | Session;
const standing = signal<Standing>('asking');
let stream: StreamClient | undefined;

const start = (session: Session): void => {
  standing.value = session;
  demo.value = session.demo;
  roles.value = session.person.roles;
  if (stream) stream.resume();
  else stream = openStream({ audioRuns: () => audible.value, mayRetry });
};

/** A gateway that is away is tried again; one that no longer knows us wants a sign-in. */
async function mayRetry(): Promise<boolean> {
  const answer = await call('GET', '/session');
  if ('body' in answer || answer.problem.code !== 'API_NOT_SIGNED_IN') return true;
  stream?.pause();
  standing.value = 'ended-by-gateway';
  return false;
}

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
  if (now === 'asking') return <p class="plain">{words.loading}</p>;
  if (now === 'signed-out' || now === 'ended-by-gateway') {
    return (
      <>
        <SilenceBanner />
        <SignIn signedIn={start} why={now === 'signed-out' ? undefined : words.signedOutByGateway} />
      </>
    );
  }
  return (
    <div class="board">
      <div class="top">
        <SilenceBanner />
        <Header session={now} signOut={() => void signOut()} />
        {audible.value ? null : (
          <button type="button" class="banner quiet" onClick={() => void allowSound()}>
            {words.maySound}
          </button>
        )}
      </div>
      <Announcement />
      <AlarmList />
      <section class="beds" aria-label={words.beds} style={{ '--columns': columns.value }}>
        {bedsInOrder.value.map((bed) => (
          <BedTile key={bed.bed} bed={bed} />
        ))}
        {bedsInOrder.value.length === 0 ? <p class="plain">{words.noBeds}</p> : null}
      </section>
      <Footer />
    </div>
  );
}
