import type { ReactNode } from 'react';
import { PLACES } from '../keys.ts';
import { Dialog } from '../parts/dialog.tsx';

const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'Search in this list'],
  ...Object.entries(PLACES).map(([key, { name }]) => [`g ${key}`, name] as const),
  ['j  k', 'Next, previous row'],
  ['Enter', 'Open the row'],
  ['a  d', 'Approve, deny the chosen approval'],
  ['?', 'This help'],
  ['Esc', 'Close a dialog'],
];

/** What keys do. */
export function Help({ onClose }: { readonly onClose: () => void }): ReactNode {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl className="keys">
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split(/\s+/).map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
