// What the commands print with `--json` against the shapes in docs/cli.md: no key that is not documented, none missing.
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeTensorFile } from '@kerf/onnx/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keysOf } from './support/json-keys.ts';
import { doubler, rowOf } from './support/models.ts';
import { jsonLines, type Ran, runKerf } from './support/run-kerf.ts';
import { openWorkshop, type Workshop } from './support/workshop.ts';

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

let shop: Workshop;
const kerf = (...args: string[]): Promise<Ran> => runKerf(args, { cwd: shop.folder });

beforeAll(async () => {
  shop = await openWorkshop();
  await shop.split(doubler(), ['mid'], 'part');
  await writeTensorFile(join(shop.folder, 'row.pb'), { name: 'x', tensor: rowOf(1, 8) });
  await writeFile(join(shop.folder, 'model.onnx'), doubler());
});
afterAll(() => shop?.remove());

/** Keys of the interfaces in a command's section; those of a `Record` are data. */
function documentedKeys(command: string): Set<string> {
  const section = page.split(`\n## kerf ${command}\n`)[1]?.split('\n## ')[0] ?? '';
  const code = [...section.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '').join('\n');
  return new Set([...code.matchAll(/(?:^|[{;] ?)\s*(\w+)\??:/gm)].map((match) => match[1] as string));
}

/** Keys whose own keys are names of the model or counts. */
const DATA = new Set(['assumedInputShapes', 'placements']);

function expectDocumented(command: string, printed: unknown): void {
  expect([...keysOf(printed, DATA)].sort()).toEqual([...documentedKeys(command)].sort());
}

test('cuts', async () => {
  expectDocumented('cuts', jsonLines((await kerf('cuts', 'model.onnx', '--json')).stdout));
});

test('split', async () => {
  const codec = ['--codec', 'uint8-channel'];
  const { stdout } = await kerf('split', 'model.onnx', '--at', 'mid', ...codec, '--out', 'again', '--json');
  expectDocumented('split', jsonLines(stdout));
});

test('chain', async () => {
  const profile = ['profile', 'model.onnx', '--dim', 'rows=1', '--dim', 'n=8', '--budget', '2s', '--no-crossing'];
  await kerf(...profile, '--out', 'chain-profile.json');
  const profiles = ['--edge', 'chain-profile.json', '--cloud', 'chain-profile.json', '--cuts', '1'];
  const chosen = jsonLines((await kerf('chain', 'model.onnx', ...profiles, '--out', 'chain', '--json')).stdout);
  expect(chosen).toHaveLength(1);
  // Not every report has external data, shared data or a reign; what is null has no keys.
  expectDocumented('chain', chosen);
});

test('verify', async () => {
  await kerf('chain', 'model.onnx', '--at', 'mid', '--out', 'verified-chain');
  const reports = await Promise.all(
    ['models/part', 'verified-chain'].map((folder) => kerf('verify', 'model.onnx', folder, '--json')),
  );
  expectDocumented(
    'verify',
    reports.flatMap(({ stdout }) => jsonLines(stdout)),
  );
});

test('token', async () => {
  const keys = await kerf('token', 'keys', '--out', 'keys', '--json');
  const more = ['--registry', 'read', '--cloud', 'manage'];
  const issued = await kerf('token', 'issue', '--key', 'keys/token-private.pem', '--subject', 'a', ...more, '--json');
  expectDocumented('token', [...jsonLines(keys.stdout), ...jsonLines(issued.stdout)]);
});

test('serve and run', async () => {
  const cloud = await shop.serve(0);
  const listening = cloud.events.find(({ event }) => event === 'listening');
  expectDocumented('serve', listening);
  await writeFile(join(shop.folder, 'token'), await shop.token());
  const access = ['--cloud', cloud.url, '--ca', 'state/dev-cert.pem', '--token-file', 'token'];
  const split = ['run', '--model', 'models/part', ...access, '--input', 'row.pb', '--json', '--no-fallback'];
  const good = await kerf(...split);
  const failed = await kerf(...split, '--id', 'none');
  await kerf('chain', 'model.onnx', '--at', 'mid', '--out', 'models/parts');
  // Nothing is open for the pinned route at first: the first frames go elsewhere, and the change is told.
  const chain = ['run', '--chain', 'models/parts', ...access, '--input', 'row.pb', '--json'];
  const routed = await kerf(...chain, '--repeat', '200', '--route', 'cloud');
  const free = await kerf(...chain);
  expectDocumented(
    'run',
    [good, failed, routed, free].flatMap(({ stdout }) => jsonLines(stdout)),
  );
});
