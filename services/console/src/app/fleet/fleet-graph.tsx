import type { GraphEdge, ServiceGraph, ServiceSummary } from '@flyball/api';
import { type ReactNode, useMemo } from 'react';
import { duration, percent } from '../format.ts';
import { inert } from '../parts/inert.tsx';
import { MEANING } from '../parts/state.tsx';
import { go, serviceHref } from '../router.ts';
import { layoutOf, type Spot } from './graph-layout.ts';

const NODE = { width: 166, height: 38 };
const GAP = { x: 68, y: 16 };
const PAD = 8;
const NAME_MAX = 19;
/** More are too many to read: then the troubled ones and who is next to them are shown. */
const NODES_MAX = 60;

interface FleetGraphProps {
  readonly graph: ServiceGraph;
  readonly services: readonly ServiceSummary[];
}

/** Who calls whom in one environment. The list below it says the same in words. */
export function FleetGraph({ graph, services }: FleetGraphProps): ReactNode {
  const shown = useMemo(() => readable(graph), [graph]);
  const { spots, layers, rows } = useMemo(
    () =>
      layoutOf(
        shown.nodes.map(({ service }) => service),
        shown.edges,
      ),
    [shown],
  );
  const ids = new Map(services.map((each) => [each.service, each]));
  const width = layers * NODE.width + (layers - 1) * GAP.x + 2 * PAD;
  const height = rows * NODE.height + (rows - 1) * GAP.y + 2 * PAD;
  const hidden = graph.nodes.length - shown.nodes.length;
  return (
    <figure className="graph">
      <div className="graph-scroll" tabIndex={0} role="group" aria-label="Service graph, can be scrolled">
        <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height}>
          <defs>
            <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
              <path d="M0 0.500 7.500 4 0 7.500Z" className="arrow" />
            </marker>
            <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <path d="M0 0v6" className="hatch-line" />
            </pattern>
          </defs>
          {shown.edges.map((edge) => (
            <EdgeLine key={`${edge.caller}\n${edge.callee}`} edge={edge} spots={spots} />
          ))}
          {shown.nodes.map((node) => (
            <Node key={node.service} node={node} spot={spots.get(node.service)!} summary={ids.get(node.service)} />
          ))}
        </svg>
      </div>
      <figcaption>
        {shown.edges.length === 0
          ? 'No calls between these services were seen in the last windows: lines appear when traces of both sides carry one trace id.'
          : 'Arrows lead from caller to callee; thick red ones fail more than 1 % of calls.'}
        {hidden > 0 && ` ${hidden} ok services that are not next to trouble are left out.`}
      </figcaption>
    </figure>
  );
}

/** All of a graph, or of a large one what is troubled and who is next to that. */
function readable(graph: ServiceGraph): ServiceGraph {
  if (graph.nodes.length <= NODES_MAX) return graph;
  const troubled = new Set(graph.nodes.filter(({ state }) => state !== 'ok').map(({ service }) => service));
  const near = new Set(troubled);
  for (const { caller, callee } of graph.edges) {
    if (troubled.has(caller)) near.add(callee);
    if (troubled.has(callee)) near.add(caller);
  }
  const nodes = graph.nodes.filter(({ service }) => near.has(service)).slice(0, NODES_MAX);
  const kept = new Set(nodes.map(({ service }) => service));
  return { nodes, edges: graph.edges.filter(({ caller, callee }) => kept.has(caller) && kept.has(callee)) };
}

function leftOf({ layer }: Spot): number {
  return PAD + layer * (NODE.width + GAP.x);
}

function topOf({ row }: Spot): number {
  return PAD + row * (NODE.height + GAP.y);
}

function EdgeLine({ edge, spots }: { readonly edge: GraphEdge; readonly spots: ReadonlyMap<string, Spot> }): ReactNode {
  const [from, to] = [spots.get(edge.caller), spots.get(edge.callee)];
  if (from === undefined || to === undefined) return null;
  const [x1, y1] = [leftOf(from) + NODE.width, topOf(from) + NODE.height / 2];
  const [x2, y2] = [leftOf(to) - 1, topOf(to) + NODE.height / 2];
  const bend = Math.max(30, Math.abs(x2 - x1) / 2);
  const ratio = edge.requests === 0 ? 0 : edge.errors / edge.requests;
  const about = `${inert(edge.caller)} to ${inert(edge.callee)}: ${percent(ratio)} errors, p95 ${duration(edge.p95Ms)}, n=${edge.requests}`;
  return (
    <path
      d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`}
      className={ratio > 0.01 ? 'edge edge-bad' : 'edge'}
      markerEnd="url(#arrow)"
    >
      <title>{about}</title>
    </path>
  );
}

interface NodeProps {
  readonly node: ServiceGraph['nodes'][number];
  readonly spot: Spot;
  readonly summary: ServiceSummary | undefined;
}

function Node({ node: { service, state }, spot, summary }: NodeProps): ReactNode {
  const name = inert(service);
  const to = summary === undefined ? undefined : serviceHref(summary.id);
  const numbers =
    summary === undefined || summary.requests === 0
      ? 'no requests'
      : `${percent(summary.errors / summary.requests)} errors · p95 ${duration(summary.p95Ms)}`;
  return (
    <a
      href={to}
      className={`node node-${state}`}
      aria-label={`${name}: ${state}, ${numbers}`}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || to === undefined) return;
        event.preventDefault();
        go(to);
      }}
    >
      <title>{`${name}: ${state}, ${MEANING[state]}`}</title>
      <g transform={`translate(${leftOf(spot)} ${topOf(spot)})`}>
        <rect width={NODE.width} height={NODE.height} rx="7" className="node-box" />
        {state === 'unknown' && <rect width={NODE.width} height={NODE.height} rx="7" fill="url(#hatch)" />}
        <rect width="4" height={NODE.height - 14} x="6" y="7" rx="2" className="node-bar" />
        <text x="18" y="16.500" className="node-name">
          {name.length > NAME_MAX ? `${name.slice(0, NAME_MAX - 1)}…` : name}
        </text>
        <text x="18" y="30" className="node-numbers">
          {state === 'ok' ? numbers : `${state} · ${numbers.split(' · ')[0]}`}
        </text>
      </g>
    </a>
  );
}
