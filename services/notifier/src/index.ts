export { NotifierConfig } from './config.ts';
export type { ConnectionState, TestAnswer } from './connection-state.ts';
export { Notifier, NOTIFIER_KINDS } from './notifier.ts';
export type { NotifierOptions } from './notifier.ts';
export { listenNotifierPort } from './notifier-port.ts';
export { NotifierProcessConfig } from './process-config.ts';
