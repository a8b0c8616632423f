import { type Command, type Incident, type Judgement, type Signal, targetKey } from '@flyball/contracts';
import { massSilence } from './blindness.ts';
import { rankSuspects, type Suspect } from './causes.ts';
import type { PlannerConfig } from './config.ts';
import { decide, type KnownPolicy } from './decide.ts';
import { addAssessment, addCommand, type EnvironmentState, type KnownCommand } from './environment.ts';
import type { HeldItem } from './held.ts';
import { addDecision, addSignal, openIncident, setCauses, signalText, tell } from './incident-book.ts';
import { judge } from './judge.ts';
import { reading } from './sentences.ts';

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
  #hasNews = false;

  constructor(context: StepContext) {
    this.#context = context;
    this.#state = context.state;
  }

  /** All that the detectors say of one instant. */
  take(atMs: number, items: readonly HeldItem[]): void {
    const signals: Signal[] = [];
    for (const item of items) {
      if (item.type === 'assessment') addAssessment(this.#state, item);
      else signals.push(item);
    }
    this.#watchSilence(atMs);
    for (const signal of signals) this.#openFor(signal);
    this.#judgeCommands(atMs);
    const suspects = rankSuspects(this.#state, this.#context.config);
    this.#blame(atMs, suspects);
    this.#decide(suspects);
    this.#close(atMs);
    this.#publish();
  }

  /** An outcome of a command of ours. */
  report({ command, outcome }: KnownCommand): void {
    const { incident } = this.#state;
    if (incident === null || outcome === null || command.incidentId !== incident.incidentId) return;
    const why = outcome.reason === null ? '' : ` (${outcome.reason})`;
    tell(
      incident,
      outcome.atMs,
      'outcome',
      `${command.commandId} ${outcome.status}${why}: ${outcome.before} -> ${outcome.after}`,
    );
    this.#hasNews = true;
    this.#publish();
  }

  /** Blindness of the path before us: from now on nothing that is missing is evidence of anything. */
  #watchSilence(atMs: number): void {
    const state = this.#state;
    const silence = massSilence(state, this.#context.config);
    if (silence === undefined) {
      if (state.blindSinceMs !== null && state.incident !== null) {
        tell(state.incident, atMs, 'blind', 'telemetry is back');
        this.#hasNews = true;
      }
      state.blindSinceMs = null;
      return;
    }
    if (state.blindSinceMs !== null) return;
    state.blindSinceMs = silence.sinceMs;
    const text = `${silence.silent.length} of ${silence.services} services fell silent together: we are blind, and hold`;
    state.incident ??= openIncident(state, atMs, silence.sinceMs, `telemetry blackout: ${text}`);
    tell(state.incident, atMs, 'blind', text);
    this.#hasNews = true;
  }

  #openFor(signal: Signal): void {
    const state = this.#state;
    state.incident ??= openIncident(state, signal.endMs, signal.sinceMs, signalText(signal));
    addSignal(state.incident, signal);
    state.healthyWindows = 0;
    this.#hasNews = true;
  }

  #blame(atMs: number, suspects: readonly Suspect[]): void {
    const { incident } = this.#state;
    // Once something is done about a cause, what is left of the trouble is no better a cause.
    if (incident === null || incident.status !== 'open' || !setCauses(incident, suspects)) return;
    const { cause, sli, reading: of } = suspects[0]!;
    const what = cause.version === '' ? cause.subject.service : `${cause.subject.service} ${cause.version}`;
    tell(incident, atMs, 'cause', `${what}: ${cause.reasons.join('; ')}`);
    incident.title = `${what}: ${sli === 'errors' ? 'errors' : 'p95'} ${reading(sli, of.observed)} against ${reading(sli, of.expected)}`;
    this.#hasNews = true;
  }

  /** Considers the first suspect under every policy. Services without a suspected release have nothing to roll back. */
  #decide(suspects: readonly Suspect[]): void {
    const { incident } = this.#state;
    const [suspect] = suspects;
    if (incident === null || suspect === undefined || suspect.version === null) return;
    // What was ordered is under way, or waits for its judgement: there is nothing to consider until then.
    if (this.#isPending(incident)) return;
    const { config, nowMs, resumedAtMs, generation, policies } = this.#context;
    for (const known of policies) {
      if (!known.policy.spec.match.slis.includes(suspect.sli)) continue;
      const occasion = { nowMs, resumedAtMs, generation, incidentId: incident.incidentId };
      const { decision, command } = decide(known, suspect, occasion, { state: this.#state, config });
      if (!addDecision(incident, decision)) continue;
      this.#hasNews = true;
      if (command !== undefined) this.#issue(incident, command, suspect);
    }
  }

  #issue(incident: Incident, command: Command, { assessment }: Suspect): void {
    const { requests, errors } = assessment;
    addCommand(this.#state, {
      command,
      targetKey: targetKey(command.target),
      outcome: null,
      judgement: null,
      healthyWindows: 0,
      errorRatioBefore: requests === 0 ? 0 : errors / requests,
    });
    incident.status = 'mitigating';
    incident.commandIds.push(command.commandId);
    tell(incident, command.issuedAtMs, 'command', `${command.commandId}: ${command.decision.sentence}`);
    this.#context.say.command(command);
  }

  #judgeCommands(atMs: number): void {
    const { config, policies, say } = this.#context;
    for (const known of this.#state.commands) {
      if (known.outcome?.status !== 'applied' || known.judgement !== null) continue;
      const assessment = this.#state.services.get(known.command.subject.service)?.assessment;
      const verify = policies.find(({ policy }) => policy.metadata.name === known.command.policy.name)?.policy.spec
        .verify;
      if (assessment === undefined || assessment.endMs !== atMs) continue;
      const patience = {
        stabilizeMs: (verify?.stabilizeSeconds ?? 60) * 1_000,
        windowMs: (verify?.windowSeconds ?? 300) * 1_000,
      };
      const verification = judge(known, assessment, patience, config);
      if (verification === undefined) continue;
      known.judgement = verification.status;
      const { commandId, target, incidentId } = known.command;
      say.judgement({ type: 'judgement', commandId, target, incidentId, ...verification, atMs });
      const { incident } = this.#state;
      if (incident === null || incident.incidentId !== incidentId) continue;
      tell(incident, atMs, 'judgement', `${commandId} ${verification.status}: ${verification.sentence}`);
      if (verification.status === 'verified') this.#end(incident, atMs, 'verified');
      this.#hasNews = true;
    }
  }

  /** Closes an incident that nobody acted on when all that signalled is well again, and nobody is blind. */
  #close(atMs: number): void {
    const { incident, blindSinceMs, commands } = this.#state;
    if (incident === null || incident.status === 'closed' || blindSinceMs !== null) return;
    const isPending = this.#isPending(incident);
    const names = new Set(incident.signals.map(({ subject }) => subject.service));
    const concerned = [...this.#state.services].filter(([name]) => names.size === 0 || names.has(name));
    const isWell = concerned.every(([, { assessment, silentSinceMs }]) => {
      const { coverage, errorsSli, latencySli, versions } = assessment;
      const isFailing = errorsSli.verdict === 'fail' || latencySli.verdict === 'fail';
      return (
        coverage === 1 && silentSinceMs === null && !isFailing && versions.every(({ verdict }) => verdict !== 'fail')
      );
    });
    this.#state.healthyWindows = isWell && !isPending ? this.#state.healthyWindows + 1 : 0;
    if (this.#state.healthyWindows < this.#context.config.recoverWindows) return;
    const failed = commands.findLast(({ command }) => command.incidentId === incident.incidentId)?.judgement;
    const isBlackout = incident.signals.length === 0;
    this.#end(
      incident,
      atMs,
      failed === 'ineffective' || failed === 'harmful' ? failed : isBlackout ? 'blind' : 'recovered',
    );
  }

  /** Whether an order of this incident is under way, or was carried out and not judged yet. */
  #isPending({ incidentId }: Incident): boolean {
    return this.#state.commands.some(({ command, judgement, outcome }) => {
      return (
        command.incidentId === incidentId && judgement === null && (outcome === null || outcome.status === 'applied')
      );
    });
  }

  #end(incident: Incident, atMs: number, resolution: Incident['resolution']): void {
    incident.status = 'closed';
    incident.resolution = resolution;
    incident.closedAtMs = atMs;
    tell(incident, atMs, 'closed', `closed: ${resolution}`);
    this.#hasNews = true;
  }

  #publish(): void {
    const { incident } = this.#state;
    if (incident === null || !this.#hasNews) return;
    incident.revision += 1;
    this.#context.say.incident(incident);
    if (incident.status === 'closed') this.#state.incident = null;
  }
}
