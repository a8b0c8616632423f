/** How a version of a service, or one instance of it, behaves differently. */
export interface VersionFault {
  readonly service: string;
  readonly version: string;
  /** Absent: all of them. */
  readonly instance?: string | undefined;
  /** Share of requests that fail, 0 to 1. */
  readonly errorRatio?: number | undefined;
  /** Its own work takes so many times as long. */
  readonly slowness?: number | undefined;
}

/** A slow network between a service and one that it calls. */
export interface LinkFault {
  readonly caller: string;
  readonly callee: string;
  /** What a call takes longer, ms, half of it there and half back. */
  readonly addedMs: number;
}

/** All that is wrong in a shop. */
export class Faults {
  #faults: VersionFault[] = [];
  #links: LinkFault[] = [];
  readonly #down = new Set<string>();

  /** Makes a version, or an instance, behave badly from now on. */
  add(fault: VersionFault): void {
    this.#faults.push(fault);
  }

  /** Makes a network slow. */
  addLink(fault: LinkFault): void {
    this.#links.push(fault);
  }

  /** Takes a service down: whoever calls it is refused. */
  down(service: string): void {
    this.#down.add(service);
  }

  /** Mends all that is wrong with a service, and with the networks to it. */
  heal(service: string): void {
    this.#faults = this.#faults.filter((fault) => fault.service !== service);
    this.#links = this.#links.filter(({ callee }) => callee !== service);
    this.#down.delete(service);
  }

  isDown(service: string): boolean {
    return this.#down.has(service);
  }

  /** What is wrong with an instance of a version, if anything: what is said of the very instance first. */
  of(service: string, version: string, instance: string): VersionFault | undefined {
    const all = this.#faults.filter((fault) => fault.service === service && fault.version === version);
    return all.find((fault) => fault.instance === instance) ?? all.find((fault) => fault.instance === undefined);
  }

  /** What a call takes longer, ms. */
  addedMs(caller: string, callee: string): number {
    const links = this.#links.filter((link) => link.caller === caller && link.callee === callee);
    return links.reduce((sum, link) => sum + link.addedMs, 0);
  }
}
