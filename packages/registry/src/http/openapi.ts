// The table of routes -> an OpenAPI 3.1 document. What it says of a request is what the server checks.
import { type Access, type AnswerShape, BYTES, type Route } from './route.ts';
import type { Schema } from './schema.ts';

export const API_VERSION = '1.0.0';

type Json = Readonly<Record<string, unknown>>;

export function openApiOf(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    // OpenAPI has no parameter that takes several parts; the description says it.
    const path = route.path.replace('*}', '}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'kerf registry',
      version: API_VERSION,
      description: 'Releases, devices, rollouts and the audit log of a fleet.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'EdDSA; claim `registry`' },
        device: { type: 'http', scheme: 'bearer', description: 'kd1.DEVICE.SECRET, from enrolment' },
        enrolment: { type: 'http', scheme: 'bearer', description: 'ke1.ID.SECRET, used once' },
      },
    },
  };
}

function operationOf(route: Route): Json {
  const parameters = [
    ...Object.entries(route.parameters ?? {}).map(([name, schema]) => parameter('path', name, schema, true)),
    ...Object.entries(route.query ?? {}).map(([name, schema]) => parameter('query', name, schema, false)),
    ...Object.entries(route.headers ?? {}).map(([name, schema]) => parameter('header', name, schema, false)),
  ];
  const answers = Object.entries(route.answers).map(([status, shape]) => [status, answerOf(shape)]);
  return {
    operationId: route.id,
    summary: route.summary,
    security: securityOf(route.access),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: contentOf(route.body) } }),
    responses: Object.fromEntries(answers),
    ...(route.access.kind === 'token' ? { 'x-kerf-permission': route.access.permission } : {}),
  };
}

function parameter(where: string, name: string, schema: Schema, required: boolean): Json {
  return { in: where, name, required, schema };
}

function securityOf({ kind }: Access): readonly Json[] {
  if (kind === 'anyone') return [];
  if (kind === 'reader') return [{ token: [] }, { device: [] }];
  return [{ [kind]: [] }];
}

function answerOf({ description, body }: AnswerShape): Json {
  return { description, ...(body === null ? {} : { content: contentOf(body) }) };
}

function contentOf(body: Schema | typeof BYTES): Json {
  return body === BYTES ? { 'application/octet-stream': {} } : { 'application/json': { schema: body } };
}
