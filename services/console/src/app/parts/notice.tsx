import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { ApiError } from '../api.ts';
import { T } from './inert.tsx';

/** Nothing to show, and what to do about it. */
export function Empty({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <div className="empty">
      <h2>{title}</h2>
      <div>{children}</div>
    </div>
  );
}

interface AnsweredProps<Data> {
  readonly of: UseQueryResult<Data, ApiError>;
  readonly what: string;
  readonly children: (data: Data) => ReactNode;
}

/** What was answered; before that and instead of it a word on why it is not there. */
export function Answered<Data>({ of, what, children }: AnsweredProps<Data>): ReactNode {
  const { data, error } = of;
  if (data !== undefined) {
    return (
      <>
        {error !== null && <Trouble error={error} isOld />}
        {children(data)}
      </>
    );
  }
  if (error !== null) return <Trouble error={error} />;
  return <p className="loading">Reading {what} …</p>;
}

/** An error, with what to do. */
export function Trouble({ error, isOld = false }: { readonly error: ApiError; readonly isOld?: boolean }): ReactNode {
  return (
    <div className="trouble" role="alert">
      <strong>{error.code}</strong> <T>{error.message}</T>. <T>{error.fix}</T>
      {isOld && ' What is shown below is older.'}
    </div>
  );
}

/** Says that a list may be incomplete. */
export function Rebuilding({ is }: { readonly is: boolean | undefined }): ReactNode {
  if (is !== true) return null;
  return (
    <p className="trouble" role="status">
      Flyball has just started and reads what was: this list may be incomplete for a moment.
    </p>
  );
}
