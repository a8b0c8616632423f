import { type ReactNode, useEffect } from 'react';
import { type Copyable, CopyAs } from './copy-as.tsx';
import { inert } from './inert.tsx';

interface PageHeadProps {
  /** For the browser's tab. */
  readonly name: string;
  readonly title: ReactNode;
  /** A line below the title. */
  readonly about?: ReactNode;
  readonly copies: readonly Copyable[];
  readonly children?: ReactNode;
}

/** Title of a page, with what can be done on all of it. */
export function PageHead({ name, title, about, copies, children }: PageHeadProps): ReactNode {
  useEffect(() => {
    document.title = `${inert(name)} · Flyball`;
  }, [name]);
  return (
    <header className="page-head">
      <div className="page-title">
        <h1>{title}</h1>
        {about !== undefined && <p className="about">{about}</p>}
      </div>
      <div className="page-actions">
        {children}
        <CopyAs items={copies} />
      </div>
    </header>
  );
}
