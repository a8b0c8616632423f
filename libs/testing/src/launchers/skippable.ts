/**
 * What is missing, and how to get it, where tests may be left out for want of it.
 *
 * @throws where nothing may be left out: FLYBALL_REQUIRE_REAL is 1, as in CI.
 */
export function skippable<Missing extends string | undefined>(missing: Missing, env = process.env): Missing {
  if (missing !== undefined && env['FLYBALL_REQUIRE_REAL'] === '1') throw new Error(missing);
  return missing;
}
