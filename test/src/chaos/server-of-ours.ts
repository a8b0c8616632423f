import type { RealPart, ServerFaults } from '@flyball/testing';

/** How a server is hurt. @throws when the server was given by its URL: it is not ours to hurt. */
export function faultsOf({ url, faults }: RealPart): ServerFaults {
  if (faults === undefined) throw new Error(`${url} was given: a server that is not ours is not hurt`);
  return faults;
}
