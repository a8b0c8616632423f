import { useEffect, useMemo, useState } from 'react';
import { useKeys } from '../keys.ts';

/**
 * Rows that `j` and `k` choose and Enter opens.
 *
 * @returns index of the chosen row; -1 while none is.
 */
export function useRows(length: number, open: (index: number) => void): number {
  const [chosen, setChosen] = useState(-1);
  const keys = useMemo(
    () => ({
      j: () => setChosen((index) => Math.min(index + 1, length - 1)),
      k: () => setChosen((index) => Math.max(index - 1, 0)),
      ...(chosen >= 0 && chosen < length && { Enter: () => open(chosen) }),
    }),
    [length, open, chosen],
  );
  useKeys(keys);
  useEffect(() => {
    document.querySelector('[data-chosen="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);
  return chosen;
}
