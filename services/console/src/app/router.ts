import { useSyncExternalStore } from 'react';

/** Where the reader is: everything that decides what is shown is in the URL. */
export interface Place {
  readonly path: string;
  readonly params: URLSearchParams;
}

const listeners = new Set<() => void>();
const tell = () => {
  for (const listener of listeners) listener();
};
window.addEventListener('popstate', tell);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The place, again whenever it changes. */
export function usePlace(): Place {
  const url = useSyncExternalStore(subscribe, () => location.pathname + location.search);
  const { pathname: path, searchParams: params } = new URL(url, location.origin);
  return { path, params };
}

/** Goes to a path of this app. */
export function go(href: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') {
    history.pushState(null, '', href);
    window.scrollTo(0, 0);
  } else history.replaceState(null, '', href);
  tell();
}

/** The address of a path, with parameters; empty ones are left out. The chosen environment goes along. */
export function href(path: string, params: Readonly<Record<string, string>> = {}): string {
  const env = new URLSearchParams(location.search).get('env') ?? '';
  const all = Object.entries({ env, ...params }).filter(([, value]) => value !== '');
  return all.length === 0 ? path : `${path}?${new URLSearchParams(all).toString()}`;
}

/** Sets a parameter of this place; '' takes it out. */
export function setParam(name: string, value: string): void {
  const params = new URLSearchParams(location.search);
  if (value === '') params.delete(name);
  else params.set(name, value);
  const text = params.toString();
  go(location.pathname + (text === '' ? '' : `?${text}`), 'replace');
}

export const serviceHref = (id: string) => href(`/services/${encodeURIComponent(id)}`);
export const incidentHref = (id: string) => href(`/incidents/${encodeURIComponent(id)}`);
