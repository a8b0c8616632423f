export { program } from './program.ts';
export { ApiClient } from './api-client.ts';
export { EXIT } from './cli-error.ts';
export { freePort } from './story/free-port.ts';
export { attemptsOf, openShop, until } from './story/scene.ts';
export { askTwin, DEMO, POLICIES, startTwin } from './story/stage.ts';
export type { Stage } from './story/stage.ts';
export { tellStory } from './story/story.ts';
