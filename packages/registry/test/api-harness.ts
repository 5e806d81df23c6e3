// A running registry and a caller whose every answer is held against the OpenAPI description, by a checker that is not ours.
import { createPublicKey } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DEFAULT_ISSUER, generateTokenKeys, issueToken, tokenVerifier } from '@kerf/access';
import { openFolderBlobs, type Registry, type RegistryLimits, startRegistry } from '@kerf/registry';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Database } from '../src/store/database.ts';
import type { TestDatabase, TestEngine } from './databases.ts';

interface Operation {
  readonly operationId: string;
  readonly responses: Record<string, { content?: Record<string, { schema?: object }> }>;
  readonly security: Record<string, unknown>[];
  readonly requestBody?: unknown;
  readonly parameters?: { in: string; name: string }[];
}

export interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
}

export interface CallOptions {
  readonly as?: string | null;
  readonly json?: unknown;
  readonly body?: Uint8Array | string;
  readonly headers?: Record<string, string>;
}

export interface Said {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

export interface Api {
  readonly registry: Registry;
  readonly folder: string;
  readonly openApi: OpenApi;
  /** `operationId status` of every answer so far. */
  readonly seen: Set<string>;
  token(registry: readonly string[], subject?: string): Promise<string>;
  /** @throws what the description does not allow. */
  call(method: string, target: string, options?: CallOptions): Promise<Said>;
  close(): Promise<void>;
}

const AUDIENCE = 'kerf-registry';

/** @param wrap stands between the registry and its database */
export async function startApi(
  engine: TestEngine,
  limits: Partial<RegistryLimits> = {},
  wrap: (database: Database) => Database = (database) => database,
): Promise<Api> {
  const place: TestDatabase = await engine.make();
  const folder = await mkdtemp(path.join(tmpdir(), 'kerf-api-'));
  const keys = generateTokenKeys();
  const registry = await startRegistry({
    database: wrap(await place.open()),
    blobs: await openFolderBlobs(path.join(folder, 'blobs')),
    workFolder: path.join(folder, 'work'),
    verify: tokenVerifier([createPublicKey(keys.publicKeyPem)], AUDIENCE, DEFAULT_ISSUER),
    port: 0,
    certificate: null,
    limits: { burstRequests: 100_000, burstRefusals: 100_000, tickMs: 50, ...limits },
  });
  const openApi = (await (await fetch(`${registry.url}/openapi.json`)).json()) as OpenApi;
  const checks = answerChecks(openApi);
  const seen = new Set<string>();
  return {
    registry,
    folder,
    openApi,
    seen,
    token: (registryClaim, subject = 'ann') =>
      issueToken({
        privateKeyPem: keys.privateKeyPem,
        subject,
        models: [],
        registry: registryClaim,
        expiresInSeconds: 600,
        audience: AUDIENCE,
      }),
    async call(method, target, { as = null, json, body, headers = {} } = {}) {
      const answer = await fetch(`${registry.url}${target}`, {
        method,
        headers: {
          ...(as === null ? {} : { authorization: `Bearer ${as}` }),
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(json === undefined
          ? body === undefined
            ? {}
            : { body: body as BodyInit }
          : { body: JSON.stringify(json) }),
      });
      const bytes = new Uint8Array(await answer.arrayBuffer());
      const said = checks(method, target, answer, bytes, seen);
      return { status: answer.status, headers: answer.headers, bytes, json: said };
    },
    async close() {
      await registry.close(1000);
      await place.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Check = (method: string, target: string, answer: Response, bytes: Uint8Array, seen: Set<string>) => unknown;

function answerChecks(openApi: OpenApi): Check {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictTypes: false, strictRequired: false });
  const compiled = new Map<object, ValidateFunction>();
  return (method, target, answer, bytes, seen) => {
    const text = new TextDecoder().decode(bytes);
    const operation = operationOf(openApi, method, target);
    // An address that is not described is one that is not there.
    if (operation === null) {
      if (answer.status !== 404) throw new Error(`${method} ${target} is not described`);
      return JSON.parse(text);
    }
    const what = `${operation.operationId} ${answer.status}`;
    const shape = operation.responses[String(answer.status)];
    if (shape === undefined) throw new Error(`${what} is not described: ${text.slice(0, 500)}`);
    seen.add(what);
    const schema = shape.content?.['application/json']?.schema;
    if (shape.content === undefined) {
      if (bytes.byteLength > 0) throw new Error(`${what} has a body`);
      return undefined;
    }
    if (schema === undefined || method === 'HEAD') return undefined;
    const validate = compiled.get(schema) ?? ajv.compile(schema);
    compiled.set(schema, validate);
    const value = JSON.parse(text) as unknown;
    if (!validate(value)) throw new Error(`${what}: ${ajv.errorsText(validate.errors)} in ${text.slice(0, 800)}`);
    return value;
  };
}

function operationOf(openApi: OpenApi, method: string, target: string): Operation | null {
  const address = target.split('?', 1)[0] as string;
  for (const [template, operations] of Object.entries(openApi.paths)) {
    const rest = template.startsWith('/repository/');
    const pattern = rest ? /^\/repository\/.+$/ : new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
    const operation = operations[method === 'HEAD' ? 'get' : method.toLowerCase()];
    if (pattern.test(address) && operation !== undefined) return operation;
  }
  return null;
}
