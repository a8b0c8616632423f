export { Action, actionText, Inverse, inverseOf, ThrottleLimit } from './actions.ts';
export { AuditEntry, auditCodec, GENESIS_HASH, TrailMessage, trailCodec } from './audit.ts';
export type { AuditedFact } from './audit.ts';
export { Command, commandsCodec, Target, targetKey } from './commands.ts';
export { commandDigest } from './command-digest.ts';
export type { Order } from './command-digest.ts';
export {
  ChangeWord,
  controlCodec,
  ControlMessage,
  FeedbackWord,
  FreezeWord,
  NoteWord,
  SilenceWord,
  SloWord,
} from './control.ts';
export type { AnswerWord } from './control.ts';
export { DeadLetter, deadLettersCodec } from './dead-letters.ts';
export { GateReason, GateResult } from './gates.ts';
export { Approval, Cause, Decision, Incident, incidentsCodec, TimelineEntry } from './incidents.ts';
export { Claim, Judgement, Outcome, outcomesCodec, OutcomesMessage, RejectReason } from './outcomes.ts';
export { metricKey } from './metrics.ts';
export type { MetricId, MetricPoint, MetricSeries, MetricShare, PointType } from './metrics.ts';
export { Objective, Sli, Standing } from './objective.ts';
export type { ObjectiveSet } from './objective.ts';
export { partialsCodec } from './partials.ts';
export type { Interval, Missed, Partial, PartialsMessage, StallReport, TimeStep } from './partials.ts';
export { DEFAULT_TENANT, readRaw, TENANT_HEADER, Tick, TICK_HEADER } from './raw.ts';
export type { RawMessage } from './raw.ts';
export { seriesKey, VIEWS } from './series.ts';
export type { Series, SeriesId, SketchData, View } from './series.ts';
export {
  AnomalyKind,
  Assessment,
  Callers,
  Calm,
  InstanceAssessment,
  Relayed,
  signalsCodec,
  Signal,
  SignalsClosed,
  SignalsMessage,
  SliAssessment,
  Verdict,
  VerdictReason,
  VersionAssessment,
} from './signals.ts';
export { ID_BYTES, ID_WORDS, SpanTable } from './span-table.ts';
export {
  DEFAULT_ENVIRONMENT,
  isOverflow,
  isSameSubject,
  OVERFLOW,
  scopeKey,
  Subject,
  subjectKey,
  subjectOf,
  UNKNOWN_SERVICE,
} from './subject.ts';
export type { Scope } from './subject.ts';
export { tracesCodec } from './traces.ts';
export type { Skeletons, TracesMessage } from './traces.ts';
export { EMBEDDED_LANES, RAW_TOPICS, TOPICS, TOPOLOGY } from './topology.ts';
export type { RawTopic, SignalKind, Topic } from './topology.ts';
export { WINDOW_KINDS } from './window-kind.ts';
export type { WindowKind } from './window-kind.ts';
export { windowsCodec } from './windows.ts';
export type { Gone, Window, WindowsClosed, WindowsMessage } from './windows.ts';
export { EMPTY_CHAIN, link, verifyChain } from './audit-chain.ts';
export type { ChainHead, ChainReport } from './audit-chain.ts';
