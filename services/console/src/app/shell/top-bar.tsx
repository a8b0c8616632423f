import type { ReactNode } from 'react';
import { useLiveness } from '../live.ts';
import { Link } from '../parts/link.tsx';
import { type Preferences, setPreference, usePreferences } from '../preferences.ts';
import { useApprovals, useIncidents } from '../queries.ts';
import { href, usePlace } from '../router.ts';
import { AutomationChip } from './automation.tsx';
import { Icon } from './icons.tsx';

/** What is always in view: where one can go, what waits, and whether automation may act. */
export function TopBar({ onHelp }: { readonly onHelp: () => void }): ReactNode {
  return (
    <header className="top">
      <Link to={href('/')} className="brand">
        <Icon name="mark" /> Flyball
      </Link>
      <Tabs />
      <div className="top-right">
        <LiveMark />
        <AutomationChip />
        <PreferenceButtons />
        <button
          type="button"
          className="icon-button"
          title="Keyboard shortcuts (?)"
          aria-label="Keyboard shortcuts"
          onClick={onHelp}
        >
          <Icon name="help" />
        </button>
      </div>
    </header>
  );
}

function Tabs(): ReactNode {
  const { path } = usePlace();
  const open = useIncidents().data?.items.filter(({ status }) => status !== 'closed').length ?? 0;
  const pending = useApprovals().data?.items.filter(({ status }) => status === 'pending').length ?? 0;
  const isFleet = path === '/' || path.startsWith('/services/');
  return (
    <nav className="tabs" aria-label="Screens">
      <Tab to="/" icon="fleet" name="Fleet" isCurrent={isFleet} />
      <Tab
        to="/incidents"
        icon="incidents"
        name="Incidents"
        isCurrent={path.startsWith('/incidents')}
        waiting={open}
        what="open"
      />
      <Tab
        to="/approvals"
        icon="approvals"
        name="Approvals"
        isCurrent={path === '/approvals'}
        waiting={pending}
        what="pending"
      />
      <Tab to="/audit" icon="audit" name="Audit" isCurrent={path === '/audit'} />
      <Tab to="/data" icon="data" name="Data health" isCurrent={path === '/data'} />
    </nav>
  );
}

interface TabProps {
  readonly to: string;
  readonly icon: string;
  readonly name: string;
  readonly isCurrent: boolean;
  readonly waiting?: number;
  readonly what?: string;
}

function Tab({ to, icon, name, isCurrent, waiting = 0, what = '' }: TabProps): ReactNode {
  return (
    <Link to={href(to)} className="tab" isCurrent={isCurrent}>
      <Icon name={icon} />
      <span>{name}</span>
      {waiting > 0 && (
        <span className={`badge badge-${what}`} aria-label={`${waiting} ${what}`}>
          {waiting}
        </span>
      )}
    </Link>
  );
}

const LIVE = {
  live: ['Live', 'Changes are shown as they come'],
  connecting: ['Connecting', 'Asking for changes'],
  lost: ['Not live', 'The stream of changes is lost; it is tried again. What you see may be old.'],
} as const;

function LiveMark(): ReactNode {
  const liveness = useLiveness();
  const [name, title] = LIVE[liveness];
  return (
    <span className={`live live-${liveness}`} title={title} role="status">
      <span className="dot" aria-hidden />
      {name}
    </span>
  );
}

const NEXT_THEME = { auto: 'light', light: 'dark', dark: 'auto' } as const;

function PreferenceButtons(): ReactNode {
  const { theme, clock }: Preferences = usePreferences();
  const nextClock = clock === 'utc' ? 'local' : 'utc';
  return (
    <>
      <button
        type="button"
        className="icon-button clock-button"
        title={`Times are ${clock === 'utc' ? 'in UTC' : 'local'}; press for ${nextClock === 'utc' ? 'UTC' : 'local time'}`}
        onClick={() => setPreference({ clock: nextClock })}
      >
        {clock === 'utc' ? 'UTC' : 'Local'}
      </button>
      <button
        type="button"
        className="icon-button"
        aria-label={`Theme: ${theme}`}
        title={`Theme: ${theme}; press for ${NEXT_THEME[theme]}`}
        onClick={() => setPreference({ theme: NEXT_THEME[theme] })}
      >
        <Icon name={`theme-${theme}`} />
      </button>
    </>
  );
}
