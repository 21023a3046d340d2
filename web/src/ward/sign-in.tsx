import { useEffect, useState } from 'preact/hooks';
import { call, type Problem, type Session } from '../api.ts';
import { allowSound } from '../sound.ts';

interface SetupState {
  readonly open: boolean;
  readonly intendedUse: string;
  readonly demo: boolean;
}

/** Sign-in; the touch on it also lets the page sound. */
export function SignIn({ signedIn }: { signedIn: (session: Session) => void }) {
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const [setup, setSetup] = useState<SetupState | undefined>(undefined);
  useEffect(() => {
    void call<SetupState>('GET', '/setup').then((answer) => 'body' in answer && setSetup(answer.body));
  }, []);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    void allowSound();
    setBusy(true);
    const answer = await call<Session>('POST', '/session', {
      user: String(form.get('user') ?? ''),
      password: String(form.get('password') ?? ''),
    });
    setBusy(false);
    if ('body' in answer) signedIn(answer.body);
    else setProblem(answer.problem);
  };

  return (
    <form class="sign-in" onSubmit={(event) => void submit(event)}>
      <h1>Vigil</h1>
      {setup?.demo ? <strong class="demo">DEMO · no real patients</strong> : null}
      {setup?.open ? (
        <p class="note">
          This gateway has no administrator yet. Make the first one with the setup token printed at its start:
          POST /api/v1/setup, described at <a href="/api/docs">/api/docs</a>.
        </p>
      ) : null}
      <label>
        User
        <input name="user" autocomplete="username" autofocus required />
      </label>
      <label>
        Password
        <input name="password" type="password" autocomplete="current-password" required />
      </label>
      {problem ? (
        <p class="problem" role="alert">
          {problem.detail ?? problem.title}
        </p>
      ) : null}
      <button class="act" disabled={busy}>
        {busy ? 'Signing in…' : 'Sign in'}
      </button>
      <p class="note">{setup?.intendedUse ?? ''}</p>
    </form>
  );
}
