import { useSyncExternalStore } from 'react';

/** How a reader likes to see things. Kept in the browser: a link should not change how others see. */
export interface Preferences {
  readonly theme: 'auto' | 'light' | 'dark';
  readonly clock: 'local' | 'utc';
}

const KEY = 'flyball.preferences';
const DEFAULT: Preferences = { theme: 'auto', clock: 'local' };
const listeners = new Set<() => void>();
let current = read();

function read(): Preferences {
  try {
    return { ...DEFAULT, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Preferences>) };
  } catch {
    return DEFAULT;
  }
}

/** Puts the theme on the page; `auto` follows the system. */
export function applyTheme(): void {
  document.documentElement.dataset['theme'] = current.theme;
}

export function setPreference(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  localStorage.setItem(KEY, JSON.stringify(current));
  applyTheme();
  for (const listener of listeners) listener();
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
