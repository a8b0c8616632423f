import { useEffect } from 'react';
import { go, href } from './router.ts';

/** What a key does. */
export type Keys = Readonly<Record<string, () => void>>;

/** Where `g` and then a key leads. */
export const PLACES: Readonly<Record<string, { readonly path: string; readonly name: string }>> = {
  f: { path: '/', name: 'Fleet' },
  i: { path: '/incidents', name: 'Incidents' },
  a: { path: '/approvals', name: 'Approvals' },
  u: { path: '/audit', name: 'Audit' },
  d: { path: '/data', name: 'Data health' },
};

/** How long `g` waits for its second key. */
const SECOND_KEY_MS = 1_200;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, dialog[open]') !== null;
}

/** Listens to keys while nobody types. */
export function useKeys(keys: Keys): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
      // Enter on a link or button is theirs.
      if (event.key === 'Enter' && event.target instanceof Element && event.target.closest('a, button') !== null)
        return;
      const action = keys[event.key];
      if (action === undefined || performance.now() < placeUntilMs) return;
      event.preventDefault();
      action();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [keys]);
}

/** Until when a second key leads to a place: then it means nothing else. */
let placeUntilMs = 0;

/** `g` and a second key lead to a place. */
export function usePlaceKeys(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
      if (event.key === 'g') {
        placeUntilMs = performance.now() + SECOND_KEY_MS;
        return;
      }
      const place = performance.now() < placeUntilMs ? PLACES[event.key] : undefined;
      if (place !== undefined) {
        event.preventDefault();
        event.stopImmediatePropagation();
        go(href(place.path));
      }
      placeUntilMs = 0;
    };
    window.addEventListener('keydown', onKey, { capture: true });
    return () => window.removeEventListener('keydown', onKey, { capture: true });
  }, []);
}
