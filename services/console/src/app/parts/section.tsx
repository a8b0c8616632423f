import type { ReactNode } from 'react';

interface SectionProps {
  readonly title: string;
  readonly beside?: ReactNode;
  readonly children: ReactNode;
}

/** A part of a page, with its own title. */
export function Section({ title, beside, children }: SectionProps): ReactNode {
  return (
    <section className="panel" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {beside}
      </header>
      {children}
    </section>
  );
}
