import type { MouseEvent, ReactNode } from 'react';
import { go } from '../router.ts';

interface LinkProps {
  readonly to: string;
  readonly children: ReactNode;
  readonly className?: string;
  readonly title?: string;
  readonly isCurrent?: boolean;
}

/** A link within the console. */
export function Link({ to, children, isCurrent = false, ...rest }: LinkProps): ReactNode {
  const onClick = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a href={to} onClick={onClick} {...(isCurrent && { 'aria-current': 'page' })} {...rest}>
      {children}
    </a>
  );
}
