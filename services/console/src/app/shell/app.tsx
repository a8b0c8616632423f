import { type ReactNode, useMemo, useState } from 'react';
import { FleetPage } from '../fleet/fleet-page.tsx';
import { useKeys, usePlaceKeys } from '../keys.ts';
import { useStream } from '../live.ts';
import { Empty } from '../parts/notice.tsx';
import { Link } from '../parts/link.tsx';
import { useKillSwitch } from '../queries.ts';
import { href, usePlace } from '../router.ts';
import { PauseStrip } from './automation.tsx';
import { Help } from './help.tsx';
import { laterPage } from './later-page.tsx';
import { SignIn } from './sign-in.tsx';
import { TopBar } from './top-bar.tsx';

const ServicePage = laterPage(async () => (await import('../service/service-page.tsx')).ServicePage);
const IncidentPage = laterPage(async () => (await import('../incidents/incident-page.tsx')).IncidentPage);
const IncidentsPage = laterPage(async () => (await import('../incidents/incidents-page.tsx')).IncidentsPage);
const ApprovalsPage = laterPage(async () => (await import('../approvals/approvals-page.tsx')).ApprovalsPage);
const AuditPage = laterPage(async () => (await import('../audit/audit-page.tsx')).AuditPage);
const DataPage = laterPage(async () => (await import('../data/data-page.tsx')).DataPage);

/** The whole console. */
export function App(): ReactNode {
  const session = useKillSwitch();
  const isOut = session.error?.status === 401;
  useStream(session.data !== undefined && !isOut);
  if (isOut) return <SignIn />;
  return <Shell />;
}

function Shell(): ReactNode {
  const [isHelpOpen, setHelpOpen] = useState(false);
  usePlaceKeys();
  useKeys(useMemo(() => ({ '?': () => setHelpOpen(true) }), []));
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <TopBar onHelp={() => setHelpOpen(true)} />
      <PauseStrip />
      <main id="main" tabIndex={-1}>
        <Screen />
      </main>
      {isHelpOpen && <Help onClose={() => setHelpOpen(false)} />}
    </>
  );
}

function Screen(): ReactNode {
  const { path } = usePlace();
  const [, screen = '', id = ''] = path.split('/');
  const name = useMemo(() => decodeOnce(id), [id]);
  if (screen === '') return <FleetPage />;
  if (screen === 'services' && id !== '') return <ServicePage key={name} id={name} />;
  if (screen === 'incidents' && id !== '') return <IncidentPage key={name} id={name} />;
  if (screen === 'incidents') return <IncidentsPage />;
  if (screen === 'approvals') return <ApprovalsPage />;
  if (screen === 'audit') return <AuditPage />;
  if (screen === 'data') return <DataPage />;
  return (
    <Empty title="There is no such page">
      <Link to={href('/')}>Go to the fleet</Link>
    </Empty>
  );
}

function decodeOnce(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
