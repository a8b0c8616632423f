import {
  type AnswerWord,
  type Callers,
  type Cause,
  type Command,
  type Incident,
  type Judgement,
  type Outcome,
  type Signal,
  targetKey,
} from '@flyball/contracts';
import { MINUTE_MS } from '@flyball/core';
import { matchesScope } from '@flyball/policy';
import { answer, endQuestions, expire } from './approvals.ts';
import { massSilence } from './blindness.ts';
import { type Candidate, candidateOf } from './candidates.ts';
import { type RankedCause, rankCauses, type Suspect } from './causes.ts';
import type { PlannerConfig } from './config.ts';
import { decide, type KnownPolicy } from './decide.ts';
import {
  addAssessment,
  addCommand,
  addEdges,
  type EnvironmentState,
  isInForce,
  type KnownCommand,
  type KnownService,
  type OpenIncident,
} from './environment.ts';
import { areRelated } from './graph.ts';
import { incidentOf, opensIncident } from './grouping.ts';
import type { HeldItem } from './held.ts';
import { addDecision, addSignal, openIncident, setCauses, signalText, tell } from './incident-book.ts';
import { judge, type Patience } from './judge.ts';
import { silencedUntilMs } from './quiet.ts';
import { reading } from './sentences.ts';

/** Services that no traces are known of are well when nothing was off about them for so long. */
const QUIET_MS = MINUTE_MS;

/** What one step of one environment has at hand. */
export interface StepContext {
  readonly config: PlannerConfig;
  readonly state: EnvironmentState;
  readonly policies: readonly KnownPolicy[];
  readonly nowMs: number;
  /** When a person last said that automation may act, ms; `null` while it is paused. */
  readonly resumedAtMs: number | null;
  readonly generation: readonly [number, number];
  readonly say: {
    readonly incident: (incident: Incident) => void;
    readonly command: (command: Command) => void;
    readonly judgement: (judgement: Judgement) => void;
  };
}

/** Moves one environment by one instant: what is wrong, why, what to do, and whether it helped. */
export class EnvironmentStep {
  readonly #context: StepContext;
  readonly #state: EnvironmentState;
  readonly #news = new Set<OpenIncident>();

  constructor(context: StepContext) {
    this.#context = context;
    this.#state = context.state;
  }

  /** All that the detectors say of one instant. */
  take(atMs: number, items: readonly HeldItem[]): void {
    const signals: Signal[] = [];
    for (const item of items) {
      if (item.type === 'assessment') addAssessment(this.#state, item);
      else if (item.type === 'callers') addEdges(this.#state, edgesTo(item));
      else if (item.type === 'calm') this.#state.episodes.delete(item.episodeId);
      else signals.push(item);
    }
    this.#watchSilence(atMs);
    // All are known before any is placed: of two that only together are a reason, either may come first.
    for (const signal of signals) if (signal.sli === null) this.#state.episodes.set(signal.episodeId, signal);
    for (const signal of signals) this.#place(signal);
    this.#judgeCommands(atMs);
    for (const open of [...this.#state.incidents]) {
      // What its judgement has just ended is over: nothing more is asked, or done, in its name.
      if (open.incident.status === 'closed') continue;
      const ranked = rankCauses(open.incident, this.#state, this.#context.config);
      this.#blame(open, atMs, ranked);
      if (expire(open.incident, this.#context.nowMs, (id) => this.#isIssued(id))) this.#news.add(open);
      this.#decide(open, ranked[0]?.suspect ?? undefined);
      this.#close(open, atMs);
    }
    this.#publish();
  }

  /** Time has passed. Closes what nobody can say anything of any more. */
  pass(atMs: number): void {
    const { staleMs } = this.#context.config;
    this.#giveUp(atMs);
    for (const open of [...this.#state.incidents]) {
      if (this.#isPending(open.incident)) continue;
      const isQuiet = !this.#hasEpisode(open) && !this.#isKnownByTraces(open);
      if (isQuiet && open.heardAtMs < atMs - QUIET_MS) this.#end(open, atMs, 'recovered');
      else if (open.heardAtMs < atMs - staleMs) this.#end(open, atMs, 'blind');
    }
    this.#publish();
  }

  /** A person's answer to what was asked. After a yes every gate is asked again: what was shown may be over. */
  answer(word: AnswerWord, atMs: number): void {
    for (const open of this.#state.incidents) {
      if (!answer(open.incident, word, atMs)) continue;
      this.#news.add(open);
      const [first] = rankCauses(open.incident, this.#state, this.#context.config);
      if (word.type === 'approve') this.#decide(open, first?.suspect ?? undefined);
    }
    this.#publish();
  }

  /** An outcome of a command of ours. */
  report({ command }: KnownCommand, outcome: Outcome): void {
    const open = this.#state.incidents.find(({ incident }) => incident.incidentId === command.incidentId);
    if (open === undefined) return;
    // What was undone at its end must be seen to stand without it.
    open.healthyWindows = 0;
    const why = outcome.reason === null ? '' : ` (${outcome.reason})`;
    const text = `${command.commandId} ${outcome.status}${why}: ${outcome.before} -> ${outcome.after}`;
    tell(open.incident, outcome.atMs, 'outcome', text);
    this.#news.add(open);
    this.#publish();
  }

  /** Blindness of the path before us: from now on nothing that is missing is evidence of anything. */
  #watchSilence(atMs: number): void {
    const state = this.#state;
    const silence = massSilence(state, this.#context.config);
    if (silence === undefined) {
      if (state.blindSinceMs !== null) {
        for (const open of state.incidents) {
          tell(open.incident, atMs, 'blind', 'telemetry is back');
          this.#news.add(open);
        }
      }
      state.blindSinceMs = null;
      return;
    }
    if (state.blindSinceMs !== null) return;
    state.blindSinceMs = silence.sinceMs;
    const text = `${silence.silent.length} of ${silence.services} services fell silent together: we are blind, and hold`;
    if (state.incidents.length === 0) openIncident(state, atMs, silence.sinceMs, `telemetry blackout: ${text}`);
    for (const open of state.incidents) {
      tell(open.incident, atMs, 'blind', text);
      this.#news.add(open);
    }
  }

  /** Brings a signal to its incident, or opens one for it. What does not open one is remembered: it may explain another. */
  #place(signal: Signal): void {
    const { config } = this.#context;
    const state = this.#state;
    let open = incidentOf(signal, state, config);
    if (open === undefined && opensIncident(signal, state, config)) {
      open = openIncident(state, signal.endMs, signal.sinceMs, signalText(signal));
      const { incident } = open;
      // What was off about then, and opened none itself, belongs to it.
      for (const other of state.episodes.values()) {
        const isFree = !state.incidents.some(({ incident: { signals } }) =>
          signals.some(({ episodeId }) => episodeId === other.episodeId),
        );
        const isNear = Math.abs(other.sinceMs - signal.sinceMs) <= config.joinMs;
        const isRelated = areRelated(state.callers, other.subject.service, signal.subject.service);
        if (other.episodeId !== signal.episodeId && isFree && isNear && isRelated) addSignal(incident, other);
      }
    }
    if (open === undefined) return;
    addSignal(open.incident, signal);
    open.healthyWindows = 0;
    open.heardAtMs = Math.max(open.heardAtMs, signal.endMs);
    this.#news.add(open);
  }

  #blame(open: OpenIncident, atMs: number, ranked: readonly RankedCause[]): void {
    const { incident } = open;
    // Once something is done about a cause, what is left of the trouble is no better a cause.
    if (incident.status !== 'open' || !setCauses(incident, ranked)) return;
    const [{ cause, suspect }] = ranked as [RankedCause];
    const what = cause.version === '' ? cause.subject.service : `${cause.subject.service} ${cause.version}`;
    tell(incident, atMs, 'cause', `${what}: ${cause.reasons.join('; ')}`);
    incident.title = titleOf(what, cause, suspect);
    this.#news.add(open);
  }

  /**
   * Considers the first suspect under every policy that is for its kind, and for its place; where none is for its place that is
   * said of all.
   */
  #decide(open: OpenIncident, suspect: Suspect | undefined): void {
    const { incident } = open;
    // What was ordered is under way, or waits for its judgement: there is nothing to consider until then.
    if (suspect === undefined || this.#isPending(incident)) return;
    // What is left of the trouble once an action that is for good was proven to help is its tail, not a cause.
    const last = this.#lastOf(incident);
    if (last?.judgement === 'verified' && last.command.ttlMs === null) return;
    const { config, nowMs, resumedAtMs, generation, policies } = this.#context;
    const { environment, service } = suspect.assessment.subject;
    const fitting = policies.flatMap((known) => {
      const candidate = candidateOf(known.policy, suspect);
      return candidate === undefined ? [] : [{ known, candidate }];
    });
    const inScope = fitting.filter(({ known }) => matchesScope(known.policy, environment, service));
    for (const { known, candidate } of inScope.length > 0 ? inScope : fitting) {
      const occasion = { nowMs, resumedAtMs, generation, incident };
      const { decision, command } = decide(known, candidate, occasion, { state: this.#state, config });
      if (!addDecision(incident, decision)) continue;
      this.#news.add(open);
      if (command !== undefined) return this.#issue(incident, command, candidate);
    }
  }

  #issue(incident: Incident, command: Command, { suspect }: Candidate): void {
    const { requests, errors } = suspect.assessment;
    addCommand(this.#state, {
      command,
      targetKey: targetKey(command.target),
      outcome: null,
      judgement: null,
      revertedAtMs: null,
      healthyWindows: 0,
      errorRatioBefore: requests === 0 ? 0 : errors / requests,
    });
    incident.status = 'mitigating';
    incident.commandIds.push(command.commandId);
    tell(incident, command.issuedAtMs, 'command', `${command.commandId}: ${command.decision.sentence}`);
    this.#context.say.command(command);
  }

  #judgeCommands(atMs: number): void {
    const { config, say } = this.#context;
    for (const known of this.#state.commands) {
      if (known.outcome?.status !== 'applied' || known.judgement !== null) continue;
      const assessment = this.#state.services.get(known.command.subject.service)?.assessment;
      if (assessment === undefined || assessment.endMs !== atMs) continue;
      const verification = judge(known, assessment, this.#patienceOf(known), config);
      if (verification === undefined) continue;
      known.judgement = verification.status;
      if (verification.status !== 'verified') known.isSeen = false;
      const { commandId, target, incidentId } = known.command;
      say.judgement({ type: 'judgement', commandId, target, incidentId, ...verification, atMs });
      const open = this.#state.incidents.find(({ incident }) => incident.incidentId === incidentId);
      if (open === undefined) continue;
      tell(open.incident, atMs, 'judgement', `${commandId} ${verification.status}: ${verification.sentence}`);
      // What will be undone has helped only once all stays well without it; and an incident is over only when all of it is well.
      if (verification.status === 'verified' && !isInForce(known) && this.#isWell(open))
        this.#end(open, atMs, 'verified');
      this.#news.add(open);
    }
  }

  /**
   * Waits no longer for a judgement that nothing seen allows: the service is gone, was never seen whole, or is neither well nor
   * failing. Nobody knows whether the action helped, so a person must look before the next one on that target.
   */
  #giveUp(atMs: number): void {
    for (const known of this.#state.commands) {
      const { command, outcome, judgement, isGivenUp = false } = known;
      if (outcome?.status !== 'applied' || judgement !== null || isGivenUp || isInForce(known)) continue;
      const { stabilizeMs, windowMs } = this.#patienceOf(known);
      if (atMs <= outcome.atMs + stabilizeMs + windowMs + this.#context.config.staleMs) continue;
      Object.assign(known, { isGivenUp: true, isSeen: false });
      const open = this.#state.incidents.find(({ incident }) => incident.incidentId === command.incidentId);
      if (open === undefined) continue;
      tell(open.incident, atMs, 'judgement', `${command.commandId}: nobody can tell whether it helped`);
      this.#news.add(open);
    }
  }

  #patienceOf({ command }: KnownCommand): Patience {
    const known = this.#context.policies.find(({ policy }) => policy.metadata.name === command.policy.name);
    const { stabilizeSeconds = 60, windowSeconds = 300 } = known?.policy.spec.verify ?? {};
    return { stabilizeMs: stabilizeSeconds * 1_000, windowMs: windowSeconds * 1_000 };
  }

  /** Closes an incident that nobody acted on when all that signalled is well again, and nobody is blind. */
  #close(open: OpenIncident, atMs: number): void {
    const { blindSinceMs } = this.#state;
    const { incident } = open;
    if (incident.status === 'closed') return;
    const isHeard = this.#concernedBy(open).some(
      ({ assessment }) => assessment.endMs === atMs && assessment.requests > 0,
    );
    if (isHeard || this.#hasEpisode(open)) open.heardAtMs = Math.max(open.heardAtMs, atMs);
    if (blindSinceMs !== null || !this.#isKnownByTraces(open)) return;
    const judged = this.#lastOf(incident)?.judgement ?? null;
    // Where an action was proven to help, what is left is no trouble any more.
    const isOver = judged === 'verified' || !this.#hasEpisode(open);
    const isCalm = this.#isWell(open) && isOver && !this.#isPending(incident);
    open.healthyWindows = isCalm ? open.healthyWindows + 1 : 0;
    if (open.healthyWindows < this.#context.config.recoverWindows) return;
    const isBlackout = incident.signals.length === 0;
    this.#end(open, atMs, judged ?? (isBlackout ? 'blind' : 'recovered'));
  }

  #isIssued(commandId: string): boolean {
    return this.#state.commands.some(({ command }) => command.commandId === commandId);
  }

  /** The last action in the name of an incident. */
  #lastOf({ incidentId }: Incident): KnownCommand | undefined {
    return this.#state.commands.findLast(({ command }) => command.incidentId === incidentId);
  }

  /** What is known of the services that an incident is about; of all where it is about none. */
  #concernedBy({ incident: { signals } }: OpenIncident): readonly KnownService[] {
    const names = new Set(signals.map(({ subject }) => subject.service));
    return [...this.#state.services].flatMap(([name, known]) => (names.size === 0 || names.has(name) ? [known] : []));
  }

  /** Whether all services that an incident is about are seen whole and do not fail. */
  #isWell(open: OpenIncident): boolean {
    return this.#concernedBy(open).every(({ assessment, silentSinceMs }) => {
      const { coverage, errorsSli, latencySli, versions } = assessment;
      const isFailing = errorsSli.verdict === 'fail' || latencySli.verdict === 'fail';
      return (
        coverage === 1 && silentSinceMs === null && !isFailing && versions.every(({ verdict }) => verdict !== 'fail')
      );
    });
  }

  /**
   * Whether one of its signals of what is no SLI still holds. A budget remembers for hours what was burnt: it holds where nothing
   * else was said.
   */
  #hasEpisode({ incident: { signals } }: OpenIncident): boolean {
    const isBurn = ({ detector }: Signal) => detector.startsWith('burn@');
    const telling = signals.filter((signal) => !isBurn(signal));
    return (telling.length > 0 ? telling : signals).some(({ episodeId }) => this.#state.episodes.has(episodeId));
  }

  /** Whether traces can tell that it is over: of one of its services, or of anybody where it has none. */
  #isKnownByTraces({ incident: { signals } }: OpenIncident): boolean {
    return signals.length === 0 || signals.some(({ subject }) => this.#state.services.has(subject.service));
  }

  /** Whether an order of this incident is under way, in force, or was carried out and may still be judged. */
  #isPending({ incidentId }: Incident): boolean {
    return this.#state.commands.some((known) => {
      const { command, judgement, outcome, isGivenUp = false } = known;
      const isUnderWay = judgement === null && !isGivenUp && (outcome === null || outcome.status === 'applied');
      return command.incidentId === incidentId && (isUnderWay || isInForce(known));
    });
  }

  #end(open: OpenIncident, atMs: number, resolution: Incident['resolution']): void {
    const { incident } = open;
    incident.status = 'closed';
    incident.resolution = resolution;
    incident.closedAtMs = atMs;
    for (const { subject } of incident.signals) {
      const known = this.#state.services.get(subject.service);
      if (known !== undefined) known.closedAtMs = atMs;
    }
    endQuestions(incident, this.#context.nowMs);
    tell(incident, atMs, 'closed', `closed: ${resolution}`);
    this.#news.add(open);
  }

  #publish(): void {
    const state = this.#state;
    for (const open of state.incidents) {
      const untilMs = silencedUntilMs(state, open.incident, this.#context.nowMs);
      // Who tells people of incidents goes by the newest revision: that a silence began or ended is news too.
      if (!this.#news.has(open) && untilMs === open.incident.silencedUntilMs) continue;
      open.incident.revision += 1;
      open.incident.silencedUntilMs = untilMs;
      open.incident.blindSinceMs = state.blindSinceMs;
      this.#context.say.incident(open.incident);
    }
    this.#news.clear();
    state.incidents = state.incidents.filter(({ incident }) => incident.status !== 'closed');
  }
}

function edgesTo({ subject, callers }: Callers) {
  return callers.map((caller) => ({ caller, callee: subject.service }));
}

function titleOf(what: string, { kind, reasons }: Omit<Cause, 'rank'>, suspect: Suspect | null): string {
  const of = suspect?.reading;
  if (suspect === null || of === undefined || suspect.sli !== kind || of.verdict !== 'fail') {
    return `${what}: ${kind}, ${reasons[0] ?? ''}`;
  }
  const name = suspect.sli === 'errors' ? 'errors' : 'p95';
  return `${what}: ${name} ${reading(suspect.sli, of.observed)} against ${reading(suspect.sli, of.expected)}`;
}
