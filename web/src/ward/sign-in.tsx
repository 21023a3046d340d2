import { useEffect, useState } from 'preact/hooks';
import { call, type Problem, type Session } from '../api.ts';
import { allowSound } from '../sound.ts';
import { problemWords, words } from '../words.ts';

interface SetupState {
  readonly open: boolean;
  readonly intendedUse: string;
  readonly demo: boolean;
}

/** Sign-in, with what Vigil is for; the touch on it also lets the page sound. */
export function SignIn({ signedIn, why }: { signedIn: (session: Session) => void; why: string | undefined }) {
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const [setup, setSetup] = useState<SetupState | undefined>(undefined);
  useEffect(() => {
    void call<SetupState>('GET', '/setup').then((answer) => {
      if ('body' in answer) setSetup(answer.body);
      else setProblem(answer.problem);
    });
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
      <h1>{words.product}</h1>
      {setup?.demo ? <strong class="demo">{words.demo}</strong> : null}
      {why === undefined ? null : <p class="problem">{why}</p>}
      {setup?.open ? (
        <p class="note">
          {words.firstAdministrator} {words.makeAdministrator} <a href="/api/docs">/api/docs</a>.
        </p>
      ) : null}
      <label>
        {words.user}
        <input name="user" autocomplete="username" autocapitalize="none" autofocus required />
      </label>
      <label>
        {words.password}
        <input name="password" type="password" autocomplete="current-password" required />
      </label>
      {problem ? (
        <p class="problem" role="alert">
          {problemWords(problem)}
        </p>
      ) : null}
      <button class="act" disabled={busy}>
        {busy ? words.signingIn : words.signIn}
      </button>
      <p class="note">{setup?.intendedUse ?? ''}</p>
    </form>
  );
}
