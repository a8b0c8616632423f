import type { ReactNode } from 'react';

/** Line icons on a grid of 16. */
const PATHS: Readonly<Record<string, string>> = {
  mark: 'M8 1.5v13M8 3.5 3.5 8M8 3.5 12.500 8M3.500 9.200 8 12.500M12.500 9.200 8 12.500M2 8a1.500 1.500 0 1 0 3 0 1.500 1.500 0 0 0-3 0M11 8a1.500 1.500 0 1 0 3 0 1.500 1.500 0 0 0-3 0',
  fleet: 'M2 2.500h4.500v4.500H2zM9.500 2.500H14v4.500H9.500zM2 9.500h4.500V14H2zM9.500 9.500H14V14H9.500z',
  incidents: 'M1.500 8.500h3l1.800-5 3 9 1.800-4h3.400',
  approvals: 'M2.500 8.200 6 12l7.500-8',
  audit: 'M4 1.800h8v12.400H4zM6 5h4M6 8h4M6 11h2.500',
  data: 'M2 13.500V9M6 13.500v-6M10 13.500V4.500M14 13.500v-11',
  help: 'M8 1.500a6.500 6.500 0 1 1 0 13 6.500 6.500 0 0 1 0-13ZM6 6.200a2 2 0 1 1 2.700 1.900c-.5.2-.7.5-.7 1.100M8 11.300v.1',
  'theme-auto': 'M8 1.800a6.200 6.200 0 1 1 0 12.400A6.200 6.200 0 0 1 8 1.800ZM8 2v12M8 5h4.800M8 8h6M8 11h4.800',
  'theme-light':
    'M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  'theme-dark': 'M13.500 9.500A6 6 0 1 1 6.500 2.500a4.800 4.800 0 0 0 7 7Z',
  pause: 'M5.500 3v10M10.500 3v10',
  play: 'M4.500 2.800v10.400L13 8 4.500 2.800Z',
};

export function Icon({ name }: { readonly name: string }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden>
      <path d={PATHS[name]} />
    </svg>
  );
}
