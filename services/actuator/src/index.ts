export { Actuator } from './actuator.ts';
export type { ActuatorPorts } from './actuator.ts';
export { ActuatorConfig } from './config.ts';
export { listenControlPort } from './control-port.ts';
export { ActuatorProcessConfig } from './process-config.ts';
export { outcomeCounter } from './outcome-counter.ts';
