import type { AuditView } from '@flyball/api';
import type { AuditedFact } from '@flyball/contracts';
import { type ReactNode, useMemo, useRef, useState } from 'react';
import { useKeys } from '../keys.ts';
import { cliOf, curlOf } from '../parts/copy-as.tsx';
import { inert, T } from '../parts/inert.tsx';
import { Answered, Empty, Rebuilding } from '../parts/notice.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { At } from '../parts/when.tsx';
import { useAudit } from '../queries.ts';
import { setParam, usePlace } from '../router.ts';
import { breakOf, factLine } from './fact-line.ts';

const SHOWN = 200;

/** Every word, command and outcome, as it is chained. */
export function AuditPage(): ReactNode {
  return (
    <>
      <PageHead
        name="Audit"
        title="Audit"
        about="Every word, command and outcome; signed and chained, so that nothing can be changed unseen"
        copies={[cliOf('audit verify'), curlOf('/v1/audit?limit=1000')]}
      />
      <Answered of={useAudit()} what="the audit">
        {({ items, isRebuilding }) => (
          <>
            <Rebuilding is={isRebuilding} />
            {items.length === 0 ? (
              <Empty title="Nothing was said or done yet">
                The first word on record will be the first entry: say <code>flyball resume</code>, or use the switch
                above.
              </Empty>
            ) : (
              <Entries all={items} />
            )}
          </>
        )}
      </Answered>
    </>
  );
}

function Entries({ all }: { readonly all: readonly AuditView[] }): ReactNode {
  const { params } = usePlace();
  const [text, type] = [params.get('q') ?? '', params.get('type') ?? ''];
  const search = useRef<HTMLInputElement>(null);
  useKeys(useMemo(() => ({ '/': () => search.current?.focus() }), []));
  const rows = useMemo(() => all.map((entry) => ({ entry, ...factLine(entry.fact as AuditedFact) })), [all]);
  const types = [...new Set(rows.map((row) => row.type))].sort();
  const shown = rows.filter(
    (row) =>
      (type === '' || row.type === type) &&
      `${row.type} ${row.actor} ${row.place} ${row.sentence}`.toLowerCase().includes(text.toLowerCase()),
  );
  return (
    <>
      <div className="filters">
        <label className="search">
          <span className="hidden">Search the audit</span>
          <input
            ref={search}
            type="search"
            placeholder="Search the audit ( / )"
            value={text}
            onChange={(event) => setParam('q', event.target.value)}
          />
        </label>
        <label>
          <span className="hidden">Type</span>
          <select value={type} onChange={(event) => setParam('type', event.target.value)}>
            <option value="">All types</option>
            {types.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <Chain entries={all} />
      </div>
      {shown.length === 0 ? (
        <Empty title="No entry matches">Change the search or the type above.</Empty>
      ) : (
        <ul className="audit-list">
          {shown.slice(0, SHOWN).map((row) => (
            <Entry key={row.entry.seq} {...row} />
          ))}
        </ul>
      )}
      {shown.length > SHOWN && (
        <p className="about">
          {SHOWN} of {shown.length} entries are shown: search to narrow them down.
        </p>
      )}
    </>
  );
}

function Chain({ entries }: { readonly entries: readonly AuditView[] }): ReactNode {
  const broken = breakOf(entries);
  if (broken !== undefined) {
    return (
      <span className="chain is-bad" role="alert">
        ✕ the chain does not hold at entry {broken}: run “flyball audit verify”
      </span>
    );
  }
  return (
    <span
      className="chain"
      title="Each entry names the hash of the one before it. Hashes and signatures: flyball audit verify"
    >
      ✓ entries {entries.at(-1)?.seq} to {entries[0]?.seq} link without a gap
    </span>
  );
}

interface EntryProps {
  readonly entry: AuditView;
  readonly type: string;
  readonly actor: string;
  readonly place: string;
  readonly sentence: string;
}

function Entry({ entry, type, actor, place, sentence }: EntryProps): ReactNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <li>
      <button type="button" className="audit-row" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <span className="audit-seq">{entry.seq}</span>
        <At atMs={entry.atMs} isLong />
        <span className={`pill pill-${type}`}>{type}</span>
        <span className="audit-what">
          <T>{sentence}</T>
          <span className="about">
            {place !== '' && <T>{place}</T>}{' '}
            {actor !== '' && (
              <>
                by <T>{actor}</T>
              </>
            )}
          </span>
        </span>
        <span className="about" aria-hidden>
          {isOpen ? '▴' : '▾'}
        </span>
      </button>
      {isOpen && <pre className="audit-body">{inert(JSON.stringify(entry, null, 2)).replaceAll('\\u000a', '\n')}</pre>}
    </li>
  );
}
