import type { Incident } from '@flyball/contracts';
import type { ReactNode } from 'react';
import { number } from '../format.ts';
import { T } from '../parts/inert.tsx';
import { Link } from '../parts/link.tsx';
import { serviceHref } from '../router.ts';

const SHOWN = 5;

/** Suspects with their reasons; all but the first are the alternatives. */
export function Causes({ incident: { causes } }: { readonly incident: Incident }): ReactNode {
  if (causes.length === 0) return <p className="about">Nothing is blamed yet: evidence is still gathered.</p>;
  return (
    <ol className="causes">
      {causes.slice(0, SHOWN).map(({ rank, subject, version, instance, kind, score, reasons }) => (
        <li key={rank} className={rank === 1 ? 'cause cause-first' : 'cause'}>
          <p className="cause-name">
            <span className="rank">{rank}</span>
            <Link to={serviceHref(`${encodeURIComponent(subject.environment)}:${encodeURIComponent(subject.service)}`)}>
              <T>{subject.service}</T>
            </Link>
            {version !== '' && (
              <span className="tag">
                <T>{version}</T>
              </span>
            )}
            {instance !== '' && (
              <span className="tag">
                <T>{instance}</T>
              </span>
            )}
            <span className="about">{kind}</span>
            <span className="about score" title="higher is likelier; comparable within this incident">
              score {number(score)}
            </span>
          </p>
          <ul>
            {reasons.map((reason) => (
              <li key={reason}>
                <T>{reason}</T>
              </li>
            ))}
          </ul>
        </li>
      ))}
      {causes.length > SHOWN && <li className="about">and {causes.length - SHOWN} less likely ones</li>}
    </ol>
  );
}
