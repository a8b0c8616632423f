import { type ReactNode, useEffect, useRef, useState } from 'react';
import { inert } from './inert.tsx';

/** A text that can be copied, and what it is. */
export interface Copyable {
  readonly name: string;
  readonly text: string;
}

/** What asks the API the same, from a shell. */
export function curlOf(path: string): Copyable {
  return { name: 'curl', text: `curl -H "authorization: Bearer $FLYBALL_TOKEN" '${location.origin}${path}'` };
}

/** What asks the same on the command line. */
export function cliOf(command: string): Copyable {
  return { name: 'CLI', text: `flyball ${command}` };
}

/** This view elsewhere: as a command, as a request, as a link. */
export function CopyAs({ items }: { readonly items: readonly Copyable[] }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen) return undefined;
    const close = (event: Event) => {
      const isInside = event.target instanceof Node && box.current?.contains(event.target) === true;
      if (event instanceof KeyboardEvent ? event.key === 'Escape' : !isInside) setOpen(false);
    };
    window.addEventListener('pointerdown', close);
    window.addEventListener('keydown', close);
    return () => {
      window.removeEventListener('pointerdown', close);
      window.removeEventListener('keydown', close);
    };
  }, [isOpen]);
  return (
    <div className="copy-as" ref={box}>
      <button type="button" className="button button-plain" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        Copy as <span aria-hidden>▾</span>
      </button>
      {isOpen && (
        <div className="copy-menu">
          {[...items, { name: 'Link', text: location.href }].map((item) => (
            <CopyRow key={item.name} {...item} />
          ))}
        </div>
      )}
    </div>
  );
}

/** A text with a button that copies it. */
export function CopyRow({ name, text }: Copyable): ReactNode {
  const [said, setSaid] = useState('Copy');
  const copy = async () => {
    // Not every page may use the clipboard: plain http of another host may not.
    const isCopied = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    setSaid(isCopied ? 'Copied' : 'Select it by hand');
  };
  const beginning = text.length > 400 ? `${text.slice(0, 400)} …` : text;
  const shown = beginning.split('\n').map(inert).join('\n');
  return (
    <div className="copy-row">
      <span className="copy-name">{name}</span>
      <code>{shown}</code>
      <button type="button" className="button button-plain" onClick={() => void copy()}>
        {said}
      </button>
    </div>
  );
}
