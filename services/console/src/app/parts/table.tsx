import type { ReactNode } from 'react';

interface TableProps {
  /** Names of columns; numbers begin with `#`. */
  readonly heads: readonly string[];
  /** Rows. */
  readonly children: ReactNode;
  /** What is to be said below, e.g. of what is not shown. */
  readonly after?: ReactNode;
}

/** Rows under heads, which scroll by themselves where the screen is narrow. */
export function Table({ heads, children, after }: TableProps): ReactNode {
  return (
    <div className="table-scroll">
      <table className="rows">
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} className={head.startsWith('#') ? 'number' : undefined}>
                {head.replace('#', '')}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
      {after}
    </div>
  );
}
