import type { ReactNode } from 'react';

/** Characters that act on what is around them: controls, escape codes, right-to-left overrides, separators. */
const ACTING = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

function nameOf(character: string): string {
  return `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`;
}

/** Text from telemetry or from people, for attributes and the clipboard: what would act is written as its number. */
export function inert(text: string): string {
  return text.replaceAll(ACTING, nameOf);
}

/** Text from telemetry or from people: it stays within itself, and what would act is shown as its number. */
export function T({ children }: { readonly children: string }): ReactNode {
  if (children === '') return <span className="none">(no name)</span>;
  const parts = children.split(/([\p{Cc}\p{Cf}\u2028\u2029])/u);
  return (
    <bdi>
      {parts.map((part, index) =>
        index % 2 === 1 ? (
          <span key={index} className="acting" title="a character that would change how text is shown">
            {nameOf(part)}
          </span>
        ) : (
          part
        ),
      )}
    </bdi>
  );
}
