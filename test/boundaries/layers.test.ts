// The import table of ARCHITECTURE.md, held against the code; and that browser-safe packages bundle without `node:`.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;

/** What each package may import of ours, and whether its main door must run in a browser. */
const LAYERS: Record<string, { mayImport: string[]; browser: boolean }> = {
  protocol: { mayImport: [], browser: true },
  access: { mayImport: ['protocol'], browser: false },
  onnx: { mayImport: ['protocol'], browser: true },
  splitter: { mayImport: ['onnx', 'protocol'], browser: true },
  'delta-sync': { mayImport: ['onnx', 'protocol'], browser: true },
  registry: { mayImport: ['protocol', 'access', 'onnx', 'delta-sync'], browser: false },
  'edge-runtime': { mayImport: ['protocol', 'onnx', 'splitter', 'delta-sync'], browser: true },
  bridge: { mayImport: ['protocol', 'edge-runtime'], browser: true },
  'cloud-runtime': { mayImport: ['protocol', 'access', 'onnx', 'delta-sync'], browser: false },
  cli: {
    mayImport: [
      'protocol',
      'access',
      'onnx',
      'splitter',
      'delta-sync',
      'registry',
      'edge-runtime',
      'cloud-runtime',
      'bridge',
    ],
    browser: false,
  },
};

const packages = readdirSync(join(root, 'packages'));

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map((match) => match[1] as string);
}

test('every package has its row in the table', () => {
  expect(packages.filter((name) => !(name in LAYERS))).toEqual([]);
});

describe.each(packages)('%s', (name) => {
  const files = sourceFiles(join(root, 'packages', name, 'src'));

  test('imports only what its layer may', () => {
    const allowed = new Set(LAYERS[name]?.mayImport);
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => target.startsWith('@kerf/'))
        .filter((target) => !allowed.has(target.split('/')[1] as string))
        .map((target) => `${relative(root, file)} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test('reaches other packages only through their doors', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file).filter(
        (target) =>
          target.startsWith('.') && relative(join(root, 'packages', name), join(file, '..', target)).startsWith('..'),
      ),
    );
    expect(wrong).toEqual([]);
  });

  test('declares every package that it imports', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as Record<
      string,
      Record<string, string> | undefined
    >;
    const declared = new Set(
      ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'].flatMap((key) =>
        Object.keys(manifest[key] ?? {}),
      ),
    );
    const packageOf = (target: string): string =>
      target
        .split('/')
        .slice(0, target.startsWith('@') ? 2 : 1)
        .join('/');
    const missing = files
      .flatMap(importsOf)
      .filter((target) => !target.startsWith('.') && !target.startsWith('node:'))
      .map(packageOf)
      .filter((target) => !declared.has(target));
    expect([...new Set(missing)]).toEqual([]);
  });

  if (!LAYERS[name]?.browser) return;

  test('bundles for a browser without a node: import', async () => {
    const result = await build({
      entryPoints: [join(root, 'packages', name, 'src/index.ts')],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      conditions: ['@kerf/source', 'browser'],
      logLevel: 'silent',
    });
    expect(result.errors).toEqual([]);
    // esbuild refuses node: for a browser unless it is external; what is left in the text would be a dynamic one.
    expect(result.outputFiles[0]?.text).not.toMatch(/["']node:/);
  });
});

test('folders are made by makeFolders: a recursive mkdir may never end', () => {
  const files = packages.flatMap((name) => sourceFiles(join(root, 'packages', name, 'src')));
  const wrong = files.filter((file) => /mkdir(Sync)?\([^;]*recursive: true/.test(readFileSync(file, 'utf8')));
  expect(wrong.map((file) => relative(root, file))).toEqual([]);
});

/** What a station in the desktop app may run: Electron 25 has Node 18.15. What host.ts completes is not named here. */
const TOO_NEW =
  /\b(AbortSignal\.any|URL\.(canParse|parse)|Array\.fromAsync|(Object|Map)\.groupBy|Promise\.(withResolvers|try))\b/;

test('what the desktop app runs needs nothing that Node 18.15 lacks', () => {
  const packagesOfStation = ['protocol', 'onnx', 'splitter', 'delta-sync', 'edge-runtime', 'bridge'];
  const folders = [
    ...packagesOfStation.map((name) => `packages/${name}/src`),
    'packages/cli/src',
    'apps/inspector/src',
  ];
  const found = folders
    .flatMap((folder) => sourceFiles(join(root, folder)))
    .flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => !/^\s*(\/\/|\*)/.test(line) && TOO_NEW.test(line))
        .map((line) => `${relative(root, file)}: ${line.trim()}`),
    );
  expect(found).toEqual([]);
});
