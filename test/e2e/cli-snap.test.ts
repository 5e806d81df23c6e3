// An update of the inspection model is published on a grid as coarse as its task allows, measured on labelled pictures.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeDataset } from '@kerf/models';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jsonOf, type Ran, runKerf } from './support/run-kerf.ts';

const MAX_LOSS = 1;
const COUNT = 12;

interface Published {
  readonly manifest: {
    readonly files: readonly { readonly deltas: readonly { readonly base: string | null; readonly bytes: number }[] }[];
    readonly snapped: { readonly step: number; readonly metric: string; readonly lossPoints: number } | null;
  };
  readonly snap: { readonly tried: readonly { readonly step: number; readonly lossPoints: number }[] } | null;
}

let folder: string;
const kerf = (...args: string[]): Promise<Ran> =>
  runKerf(args, { cwd: folder, env: { ...process.env, KERF_PASSPHRASE: 'a passphrase' } });
const surface = (version: number): string =>
  fileURLToPath(new URL(`../../models/files/surface-v${version}.onnx`, import.meta.url));
const publish = (model: string, version: string, ...more: string[]): Promise<Ran> => {
  const release = ['publish', model, '--to', 'repository', '--name', 'surface', '--version', version];
  return kerf(...release, '--keys', 'keys', '--golden', '0', '--no-bsdiff', '--json', ...more);
};
const deltaOf = ({ manifest }: Published): number => {
  const deltas = manifest.files.flatMap((file) => file.deltas).filter(({ base }) => base !== null);
  return Math.min(...deltas.map(({ bytes }) => bytes));
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-e2e-'));
  await writeDataset(join(folder, 'parts'), { split: 'test', count: COUNT, goodShare: 0.25 });
  await kerf('keys', 'init', '--keys', 'keys', '--root-keys', 'safe', '--repo', 'repository');
  await kerf('keys', 'add', 'surface', '--keys', 'keys');
  jsonOf(await publish(surface(1), '1.0'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the coarsest step that keeps the limit is taken, and the delta is a fraction of the exact one', async () => {
  const samples = ['--samples', 'parts', '--snap', 'auto'];
  const snapped = jsonOf<Published>(await publish(surface(2), '2.0', ...samples, '--max-loss', String(MAX_LOSS)));
  const claim = snapped.manifest.snapped;
  expect(claim?.metric).toBe('pixel IoU');
  expect(claim?.lossPoints).toBeLessThanOrEqual(MAX_LOSS);
  const tried = snapped.snap?.tried ?? [];
  expect(tried.at(-1)).toEqual({ step: claim?.step, lossPoints: claim?.lossPoints });
  for (const { lossPoints } of tried.slice(0, -1)) expect(lossPoints).toBeGreaterThan(MAX_LOSS);
  const exact = jsonOf<{ deltaBytes: number }>(
    await kerf('diff', surface(1), surface(2), '--out', 'exact', '--no-bsdiff', '--json'),
  );
  expect(deltaOf(snapped)).toBeLessThan(0.3 * exact.deltaBytes);
});
