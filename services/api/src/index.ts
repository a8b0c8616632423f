export type { ApprovalView } from './approval-schemas.ts';
export { ApiConfig } from './config.ts';
export { ControlWriter } from './control-writer.ts';
export { ApiProcessConfig } from './process-config.ts';
export { configurationFiles, recordPolicies } from './record-policies.ts';
export { ReadModel } from './read-model.ts';
export type { CommandDetail, Problem, ServiceDetail, ServiceSummary } from './schemas.ts';
export { buildApi, listenApi } from './server.ts';
export type { ApiPorts } from './server.ts';
