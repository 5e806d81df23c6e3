// Our checker of request bodies against ajv, over every schema of the API: both take and refuse the same values.
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RegistryContext } from '../src/context.ts';
import { faultOf, type Schema } from '../src/http/schema.ts';
import { DEFAULT_REGISTRY_LIMITS } from '../src/options.ts';
import { registryRoutes } from '../src/registry.ts';

const unused = {} as never;
const context = {
  database: unused,
  limits: DEFAULT_REGISTRY_LIMITS,
  wallNowMs: () => 0,
  newId: () => '',
} as RegistryContext;
const routes = registryRoutes({ context, blobs: unused, desk: unused, totals: unused, onAsked: () => {} });
const schemas = routes.flatMap(({ id, body }): [string, Schema][] => (typeof body === 'object' ? [[id, body]] : []));
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictTypes: false, strictRequired: false });

const DIGEST = 'a'.repeat(64);
const ROLLOUT = {
  release: DIGEST,
  stages: [
    { members: { kind: 'devices', devices: ['a', 'b'] }, soakMs: 1000 },
    { members: { kind: 'groups', groups: ['lab'] }, pauseAfter: true },
    { members: { kind: 'share', share: 0.5 }, successShare: 0.9 },
    { members: { kind: 'rest' } },
  ],
  target: { groups: ['x'], labels: { plant: 'north' } },
  errors: { count: 3, share: null, minimumEnded: 2 },
  needsApproval: true,
  startAt: null,
  window: { timeZone: 'Europe/Berlin', days: [1, 2], fromMinute: 0, toMinute: 60 },
  maxInFlight: 5,
  reportTimeoutMs: 60_000,
  onStop: 'hold',
  lateDevices: 'join',
};
const EXAMPLES: Record<string, unknown> = {
  createRollout: ROLLOUT,
  createEnrolment: { groups: ['a'], labels: { a: 'b' }, deviceId: null, expiresInSeconds: 600 },
  check: { agent: 'x', provider: null, cut: null, health: {}, models: [{ name: 'a', installed: DIGEST }] },
  report: { release: DIGEST, outcome: 'failed', reason: null },
  publish: { files: [{ path: 'metadata/1.root.json', base64: 'AAAA' }] },
  setModel: { pinned: DIGEST },
};

const oddValue = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(null, -1, 0, 0.5, 1.5, 1e300, '', 'x', 'rest', DIGEST, [], {}, true, { kind: 'rest' }, [
    'a',
    'a',
  ]),
);

/** The value with one part exchanged, removed or added, at a place that `path` picks. */
function changed(value: unknown, path: readonly number[], odd: unknown): unknown {
  if (typeof value !== 'object' || value === null || path.length === 0) return odd;
  const keys = Object.keys(value);
  const at = (path[0] as number) % (keys.length + 2);
  const key = keys[at];
  if (Array.isArray(value)) {
    if (key === undefined) return at === keys.length ? [...value, odd] : value.slice(1);
    return value.with(at, changed(value[at], path.slice(1), odd));
  }
  const object = value as Record<string, unknown>;
  if (key !== undefined) return { ...object, [key]: changed(object[key], path.slice(1), odd) };
  if (at === keys.length) return { ...object, extra: odd };
  const { [keys[0] ?? '']: _, ...rest } = object;
  return rest;
}

test('every schema uses only what our checker knows', () => {
  expect(schemas.length).toBeGreaterThan(8);
  for (const [, schema] of schemas) expect(() => ajv.compile(schema)).not.toThrow();
});

test.each(schemas)('%s', (id, schema) => {
  const validate = ajv.compile(schema);
  const example = EXAMPLES[id];
  if (example !== undefined) expect([faultOf(schema, example), validate(example)]).toEqual([null, true]);
  const values =
    example === undefined
      ? fc.jsonValue({ maxDepth: 3 })
      : fc.tuple(fc.array(fc.nat(20), { maxLength: 5 }), oddValue).map(([path, odd]) => changed(example, path, odd));
  fc.assert(
    fc.property(values, (value) => {
      // JSON knows no difference between 1 and 1.0, nor has it numbers beyond what we take as whole.
      const fault = faultOf(schema, value);
      expect([value, fault === null]).toEqual([value, validate(value)]);
    }),
    { numRuns: 1000 },
  );
});
