// Which tests run where. `node`: packages and cross-package suites, which share processes; `node-alone`: those of them that replace
// modules or count what happens once in a process, told by what they call; `browser`: those of them that need no Node, in real
// Chromium; `e2e`: real processes and browsers, two files at a time; `e2e-timed`: those of them that measure, alone.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

const resolve = { conditions: ['@kerf/source', 'module', 'node', 'development|production'] };
/** Tests that use ONNX Runtime directly leave nothing behind either. */
const env = { ORT_DISABLE_TELEMETRY: '1' };
/** Where nobody watches, a test that fails runs once more; the closing lines name it as unsteady. */
const retry = process.env['CI'] === undefined ? 0 : 1;
const BROWSER_SAFE = ['protocol', 'onnx', 'splitter', 'delta-sync', 'edge-runtime'];
const NEEDS_NODE = /from '(node:|@kerf\/\w+\/node|(\.\.\/)+src\/node|onnxruntime-node|ws'|@kerf\/c)|Buffer\./;

const NEEDS_OWN_PROCESS = /vi\.(mock\(|doMock\(|spyOn\(WebAssembly)/;

function testsIn(folder: string, says: (text: string) => boolean): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `${folder}/${file}`)
    .filter((file) => says(readFileSync(file, 'utf8')));
}

const NODE_FOLDERS = [
  ...['packages', 'apps'].flatMap((kind) => readdirSync(kind).map((name) => `${kind}/${name}/test`)),
  'models/test',
  ...['boundaries', 'conformance', 'fuzz', 'real-models', 'sim'].map((name) => `test/${name}`),
].filter((folder) => existsSync(folder));
const ALONE = NODE_FOLDERS.flatMap((folder) => testsIn(folder, (text) => NEEDS_OWN_PROCESS.test(text)));

/** A test of a browser-safe package runs in a browser as well, unless it imports something of Node. */
const PORTABLE = BROWSER_SAFE.flatMap((name) => testsIn(`packages/${name}/test`, (text) => !NEEDS_NODE.test(text)));

/** What they find depends on who else is at work. */
const MEASURING = ['profile-link', 'cli-profile', 'cli-profile-browser', 'cli-plan-measure', 'demo'].map(
  (name) => `test/e2e/${name}.test.ts`,
);

interface Group {
  readonly include: string[];
  readonly exclude: string[];
  readonly maxWorkers: number;
  readonly groupOrder: number;
}

/** A process of its own for each file costs a quarter of all the time: modules are loaded again and again. */
function inNode(name: string, files: { include: string[]; exclude: string[]; isolate: boolean }) {
  return {
    resolve,
    ssr: { resolve },
    test: {
      name,
      retry,
      env,
      ...files,
      testTimeout: 60_000,
      hookTimeout: 60_000,
      pool: 'forks' as const,
      // One less than there are cores is what is taken otherwise: of two, one.
      maxWorkers: Math.max(2, availableParallelism() - 1),
      sequence: { groupOrder: 0 },
    },
  };
}

function endToEnd(name: string, { include, exclude, maxWorkers, groupOrder }: Group) {
  return {
    resolve,
    ssr: { resolve },
    test: {
      name,
      retry,
      env,
      include,
      exclude,
      testTimeout: 120_000,
      // Some begin with ten processes one after the other: half a minute on two busy cores, and more on slow ones.
      hookTimeout: 300_000,
      pool: 'forks' as const,
      maxWorkers,
      sequence: { groupOrder },
    },
  };
}

export default defineConfig({
  test: {
    reporters: ['./test/support/closing-line-reporter.ts'],
    sequence: { sequencer: LongestFirst },

    projects: [
      inNode('node', {
        include: NODE_FOLDERS.map((folder) => `${folder}/**/*.test.ts`),
        exclude: ALONE,
        isolate: false,
      }),
      inNode('node-alone', { include: ALONE, exclude: [], isolate: true }),
      {
        resolve: { conditions: ['@kerf/source', 'module', 'browser', 'development|production'] },
        test: {
          name: 'browser',
          retry,
          // A frame for each file takes as long as its tests; they leave nothing behind that another would find.
          isolate: false,
          include: PORTABLE,
          testTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                ...(process.env['KERF_CHROMIUM'] === undefined ? {} : { executablePath: process.env['KERF_CHROMIUM'] }),
                args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      endToEnd('e2e', { include: ['test/e2e/**/*.test.ts'], exclude: MEASURING, maxWorkers: 2, groupOrder: 2 }),
      endToEnd('e2e-timed', { include: MEASURING, exclude: [], maxWorkers: 1, groupOrder: 3 }),
    ],
  },
});
