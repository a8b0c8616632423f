export { program } from './program.ts';
export { ApiClient } from './api-client.ts';
export { EXIT } from './cli-error.ts';
export { CsvRows, unquoted } from './detect/csv-rows.ts';
export { timeMs } from './detect/row-time.ts';
export { attemptsOf, openShop, until } from './story/scene.ts';
export { askTwin, DEMO, DemoStage, POLICIES, startTwin } from './story/stage.ts';
export type { Stage } from './story/stage.ts';
export { tellStory } from './story/story.ts';
