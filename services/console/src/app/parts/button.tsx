import type { ReactNode } from 'react';

interface ButtonProps {
  readonly children: ReactNode;
  readonly onClick: () => void;
  readonly kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  /** Why it cannot be pressed now; '' when it can. It is shown beside it. */
  readonly whyNot?: string;
  readonly title?: string;
}

/** A button that says why, when it cannot be pressed. */
export function Button({ children, onClick, kind = 'plain', whyNot = '', title }: ButtonProps): ReactNode {
  const isDisabled = whyNot !== '';
  return (
    <>
      <button
        type="button"
        className={`button button-${kind}`}
        aria-disabled={isDisabled}
        title={isDisabled ? whyNot : title}
        onClick={() => {
          if (!isDisabled) onClick();
        }}
      >
        {children}
      </button>
      {isDisabled && <span className="why-not">{whyNot}</span>}
    </>
  );
}
