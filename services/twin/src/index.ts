export { controlApi } from './control-api.ts';
export { Shop } from './shop.ts';
export { Telemetry } from './telemetry.ts';
export { tellDeploys } from './tell-deploys.ts';
export { Twin } from './twin.ts';
export { SideSignals } from './side-signals.ts';
