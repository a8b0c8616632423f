import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { CliError, EXIT } from '../cli-error.ts';

const Topology = z.strictObject({
  edges: z.array(
    z.strictObject({
      caller: z.string().min(1),
      callee: z.string().min(1),
      /** Of this environment only. */
      environment: z.string().optional(),
    }),
  ),
});
/** A call that no trace shows. */
export type ReplayEdge = z.infer<typeof Topology>['edges'][number];

/**
 * Reads a file of edges, YAML or JSON: `edges: [{caller: web, callee: cart}]`.
 *
 * @throws {CliError} exit code 2 when it is not that.
 */
export function readTopology(file: string): readonly ReplayEdge[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new CliError(`no file ${file}`, 'name a file of edges with --topology', EXIT.usage);
  }
  try {
    return Topology.parse(parse(text)).edges;
  } catch (error) {
    const problems =
      error instanceof z.ZodError
        ? error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '))
        : [error instanceof Error ? error.message : String(error)];
    const why = problems.map((problem) => problem.split('\n')[0]).join('; ');
    throw new CliError(`${file}: ${why}`, 'write "edges: [{caller: web, callee: cart}]"', EXIT.usage);
  }
}
