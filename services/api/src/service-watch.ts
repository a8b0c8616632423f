import { subjectOf } from '@flyball/contracts';
import type { ReadModel } from './read-model.ts';
import type { ServiceSummary } from './schemas.ts';
import { summaryOf } from './views.ts';

/** How often services are looked at while somebody follows: the hot store tells nobody of its changes. */
const EVERY_MS = 1_000;

/** Publishes `services` whenever lines of services have changed, while anybody follows. */
export class ServiceWatch {
  readonly #model: ReadModel;
  #known = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(model: ReadModel) {
    this.#model = model;
  }

  /** Looks from now on, until nobody follows any more. */
  start(): void {
    this.#timer ??= setTimeout(() => void this.#look(), 0);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    const { feed } = this.#model;
    // A hot store that is away changes nothing; who asks for services is told.
    const views = await this.#model.services().catch(() => undefined);
    if (this.#timer === undefined) return;
    if (views !== undefined) this.#compare(views.map((view) => summaryOf(subjectOf(view.key), view)));
    if (feed.followers > 0) {
      this.#timer = setTimeout(() => void this.#look(), EVERY_MS);
      return;
    }
    this.#timer = undefined;
    this.#known = new Map();
  }

  #compare(rows: readonly ServiceSummary[]): void {
    const texts = new Map(rows.map((row) => [row.id, JSON.stringify(row)]));
    const items = rows.filter(({ id }) => this.#known.get(id) !== texts.get(id));
    const gone = [...this.#known.keys()].filter((id) => !texts.has(id));
    this.#known = texts;
    if (items.length > 0 || gone.length > 0) this.#model.feed.publish('services', { items, gone });
  }
}
