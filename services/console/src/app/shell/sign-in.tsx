import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../api.ts';
import { Trouble } from '../parts/notice.tsx';
import { usePlace } from '../router.ts';
import { useSaying } from '../saying.ts';
import { Icon } from './icons.tsx';

/** For who has no session: a link from the command line, or the token. */
export function SignIn(): ReactNode {
  const { params } = usePlace();
  const [token, setToken] = useState('');
  const signIn = useSaying(
    () => ask('/v1/session', 'POST', { token }),
    () => location.replace(location.pathname),
  );
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (token.trim() !== '') signIn.say();
  };
  return (
    <main className="sign-in">
      <h1>
        <Icon name="mark" /> Flyball
      </h1>
      {params.get('link') === 'used' && (
        <p className="trouble" role="alert">
          This link was used already, or is too old. A link opens the console once.
        </p>
      )}
      <p>Get a link that opens the console:</p>
      <pre>flyball console</pre>
      <p>or sign in with the token of this Flyball (in its data folder, or FLYBALL_TOKEN):</p>
      <form onSubmit={onSubmit}>
        <label className="field">
          <span>Token</span>
          <input
            type="password"
            autoComplete="current-password"
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </label>
        <button type="submit" className="button button-primary">
          Sign in
        </button>
      </form>
      {signIn.error !== null && <Trouble error={signIn.error} />}
    </main>
  );
}
