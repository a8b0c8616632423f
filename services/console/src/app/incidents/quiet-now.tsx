import type { ReactNode } from 'react';
import { ask } from '../api.ts';
import { span } from '../format.ts';
import { useNow } from '../now.ts';
import { Button } from '../parts/button.tsx';
import { T } from '../parts/inert.tsx';
import { Trouble } from '../parts/notice.tsx';
import { queries, useFreezes, useSilences } from '../queries.ts';
import { useSaying } from '../saying.ts';

/** Silences and freezes that hold now, or will; each can be ended. */
export function QuietNow(): ReactNode {
  const silences = useSilences().data?.items ?? [];
  const freezes = useFreezes().data?.items ?? [];
  if (silences.length + freezes.length === 0) return null;
  return (
    <ul className="quiet-now" aria-label="Silences and freezes">
      {silences.map((silence) => (
        <Quiet
          key={silence.id}
          path={`/v1/silences/${silence.id}`}
          word="Silenced"
          what={`${silence.service} in ${silence.environment}`}
          {...silence}
        />
      ))}
      {freezes.map((freeze) => (
        <Quiet key={freeze.id} path={`/v1/freezes/${freeze.id}`} word="Frozen" what={freeze.environment} {...freeze} />
      ))}
    </ul>
  );
}

interface QuietProps {
  readonly path: string;
  readonly word: string;
  readonly what: string;
  readonly reason: string;
  readonly actor: string;
  readonly untilMs: number;
  readonly fromMs?: number;
}

function Quiet({ path, word, what, reason, actor, untilMs, fromMs = 0 }: QuietProps): ReactNode {
  const now = useNow();
  const end = useSaying(
    () => ask(path, 'DELETE'),
    () => queries.invalidateQueries(),
  );
  return (
    <li>
      <strong>{word}:</strong> <T>{what}</T>,{' '}
      {fromMs > now ? `from in ${span(fromMs - now)}` : `for ${span(untilMs - now)} more`}, by <T>{actor}</T>: “
      <T>{reason}</T>”{' '}
      <Button kind="quiet" whyNot={end.isPending ? 'It is being ended.' : ''} onClick={() => end.say()}>
        End it
      </Button>
      {end.error !== null && <Trouble error={end.error} />}
    </li>
  );
}
