import type { Incident } from '@flyball/contracts';
import { inertText } from './inert-text.ts';

const LINES_MAX = 6;
const LINE_CHARACTERS_MAX = 400;

/** The newest lines of an incident's story, oldest first, safe for people. */
export function storyOf({ timeline, causes }: Incident): readonly string[] {
  const [cause] = causes;
  const why =
    cause?.reasons[0] === undefined ? [] : [`cause: ${cause.subject.service} ${cause.version}: ${cause.reasons[0]}`];
  const lines = timeline.slice(-LINES_MAX).map(({ kind, text }) => `${kind}: ${text}`);
  return [...why, ...lines].map((line) => inertText(line, LINE_CHARACTERS_MAX));
}

/** Where people find an incident; '' when nobody said where. */
export function linkTo(linkUrl: string, { incidentId }: Incident): string {
  return linkUrl.replaceAll('{id}', encodeURIComponent(incidentId));
}
