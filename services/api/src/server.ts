import swagger from '@fastify/swagger';
import { type LaneHealth, letGo, traced } from '@flyball/host';
import { UnavailableError } from '@flyball/core';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { Registry } from 'prom-client';
import { approvalRoutes } from './approval-routes.ts';
import { requireCaller } from './callers.ts';
import type { ApiConfig } from './config.ts';
import { builtConsole, type ConsoleState } from './console-files.ts';
import { consoleRoutes, securityHeaders } from './console-routes.ts';
import type { ControlWriter } from './control-writer.ts';
import { fleetRoutes } from './fleet-routes.ts';
import { HttpProblem, problemOf } from './problems.ts';
import { incidentRoutes } from './incident-routes.ts';
import { inboxRoutes } from './inbox-routes.ts';
import { quietRoutes } from './quiet-routes.ts';
import type { ReadModel } from './read-model.ts';
import { readRoutes } from './read-routes.ts';
import { remarkRoutes } from './remark-routes.ts';
import { sessionRoutes } from './session-routes.ts';
import { Sessions } from './sessions.ts';
import { setupRoutes } from './setup-routes.ts';
import { signalRoutes } from './signal-routes.ts';
import { streamRoutes } from './stream-routes.ts';
import { wordRoutes } from './word-routes.ts';

/** What the API shows and says. */
export interface ApiPorts {
  readonly model: ReadModel;
  readonly words: ControlWriter;
  readonly registry: Registry;
  /** Bearer token of `/v1`. */
  readonly token: string;
  /** The built console, or why there is none; default none. */
  readonly console?: () => ConsoleState;
  /** Windows with requests that a service’s normal is learned from: says when its warm-up ends; default 30. */
  readonly warmupWindows?: number;
  /** What bindings may name; `undefined` where the actuator is another process, and nobody here can tell. */
  readonly drivers?: readonly string[];
  /** How every lane is doing. */
  readonly lanes: () => Promise<readonly LaneHealth[]>;
  /** Whether the process is stopping: then it is not ready, though it still answers. */
  readonly isStopping: () => boolean;
}

/** What `/readyz?verbose` answers. */
export interface Readiness {
  readonly status: 'ready' | 'not ready';
  readonly isRebuilding: boolean;
  readonly isStopping: boolean;
  readonly lanes: readonly LaneHealth[];
}

/** Builds the API; {@link listenApi} makes it listen. Tests use `inject`. */
export async function buildApi(ports: ApiPorts): Promise<FastifyInstance> {
  const app = Fastify({
    logger: false,
    bodyLimit: 1024 * 1024,
    routerOptions: { maxParamLength: 500 },
    // What is found wrong before there is a route, such as a path that is no text.
    frameworkErrors: (error, request, reply) => {
      const problem = problemOf(error, request.id);
      const plain = reply as FastifyReply;
      void plain.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
    },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error, request.id);
    return reply.status(problem.status).type('application/problem+json').serializer(JSON.stringify).send(problem);
  });
  app.setNotFoundHandler((request, reply) => {
    const problem = problemOf(
      new HttpProblem(
        404,
        'NOT_FOUND',
        `no ${request.method} ${request.url.split('?')[0]}`,
        'GET /openapi.json lists all paths.',
      ),
      request.id,
    );
    return reply.status(404).type('application/problem+json').send(problem);
  });
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Flyball', version: '0.1.0' } },
    transform: jsonSchemaTransform,
  });
  app.addHook('onRoute', (route) => {
    const { handler } = route;
    const name = `${String(route.method)} ${route.url}`;
    route.handler = function (request, reply) {
      return traced(name, {}, async () => handler.call(this, request, reply));
    };
  });
  app.addHook('preClose', async () => letGo(app.server));
  app.decorateRequest('actor', '');
  securityHeaders(app);
  healthRoutes(app, ports);
  const sessions = new Sessions(ports.token);
  consoleRoutes(app, ports.console ?? builtConsole(''), sessions);
  sessionRoutes(app.withTypeProvider<ZodTypeProvider>(), ports, sessions);
  await app.register(async (v1) => {
    v1.addHook('onRequest', async (request) => {
      request.actor = requireCaller(request, ports.token, sessions);
    });
    streamRoutes(v1, ports);
    fleetRoutes(v1.withTypeProvider<ZodTypeProvider>(), ports);
    readRoutes(v1.withTypeProvider<ZodTypeProvider>(), ports);
    incidentRoutes(v1.withTypeProvider<ZodTypeProvider>(), ports);
    signalRoutes(v1.withTypeProvider<ZodTypeProvider>(), ports);
    inboxRoutes(v1.withTypeProvider<ZodTypeProvider>(), ports);
    setupRoutes(v1.withTypeProvider<ZodTypeProvider>(), ports);
    wordRoutes(v1.withTypeProvider<ZodTypeProvider>(), ports);
    approvalRoutes(v1.withTypeProvider<ZodTypeProvider>(), ports);
    remarkRoutes(v1.withTypeProvider<ZodTypeProvider>(), ports);
    quietRoutes(v1.withTypeProvider<ZodTypeProvider>(), ports);
  });
  return app;
}

/** @throws {UnavailableError} `PORT_TAKEN` */
export async function listenApi(app: FastifyInstance, { host, port }: ApiConfig): Promise<number> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const hint = 'Stop what listens there, or choose another port in the configuration.';
    throw new UnavailableError('PORT_TAKEN', `the API cannot listen on port ${port}`, {
      cause,
      hint,
      detail: { port },
    });
  }
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

function healthRoutes(app: FastifyInstance, { model, registry, lanes, isStopping }: ApiPorts): void {
  app.get('/livez', { schema: { hide: true } }, async () => ({ status: 'ok' }));
  app.get('/readyz', { schema: { hide: true } }, async (request, reply) => {
    const health = await lanes();
    const isReady = !isStopping() && health.every(({ state }) => state === 'running');
    const isVerbose = 'verbose' in (request.query as Record<string, unknown>);
    const more = isVerbose ? { isRebuilding: await model.isRebuilding(), isStopping: isStopping(), lanes: health } : {};
    return reply.status(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'not ready', ...more });
  });
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    return reply.type(registry.contentType).send(await registry.metrics());
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}
