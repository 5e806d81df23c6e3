// The archive for devices and servers, unpacked where nothing else of kerf is: what is in it, and that it works from there.
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildModel } from '@kerf/onnx';
import { writeTensorFile } from '@kerf/onnx/node';
import { float32Tensor } from '@kerf/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findElectron } from '../support/ensure-electron.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const UNITS = 'node_modules/@kerf/cli/systemd';
const run = promisify(execFile);

/** y = |x w| with a cut before the last node. */
const model = buildModel({
  nodes: [
    { op: 'MatMul', inputs: ['x', 'w'], outputs: ['product'] },
    { op: 'Abs', inputs: ['product'], outputs: ['y'] },
  ],
  inputs: [{ name: 'x', dtype: 'float32', shape: [1, 32] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: [1, 32] }],
  initializers: [
    {
      name: 'w',
      tensor: float32Tensor(
        [32, 32],
        Float32Array.from({ length: 1024 }, (_, at) => Math.sin(at)),
      ),
    },
  ],
});

const lacks = (tool: string): boolean => spawnSync(tool, ['--version']).status !== 0;
const reason = lacks('tar') ? 'no tar' : null;
const noSystemd = lacks('systemd-analyze') ? 'no systemd-analyze' : null;
const { folder: electron } = findElectron();

describe.skipIf(reason !== null)(`the archive of the command${reason === null ? '' : ` (${reason})`}`, () => {
  let work = '';
  /** As unpacked. */
  let folder = '';
  /** A link to the command, as in a folder of the path. */
  let command = '';
  let files: string[] = [];
  const children: ChildProcess[] = [];
  const filesOf = async (path: string): Promise<string[]> => (await readdir(path, { recursive: true })).toSorted();

  const kerf = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(command, args, { cwd: work, maxBuffer: 1 << 26 });
    return stdout;
  };
  /** Starts what lasts. @returns its event `listening`, and how to end it. */
  const start = async <T>(...args: string[]): Promise<{ said: T; stop(): Promise<number | null> }> => {
    const child = spawn(command, args, { cwd: work, stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const exited = once(child, 'exit');
    const stop = async (): Promise<number | null> => {
      child.kill('SIGTERM');
      await exited;
      return child.exitCode;
    };
    for await (const line of createInterface({ input: child.stdout })) {
      const event = JSON.parse(line) as { event?: string };
      if (event.event !== 'listening') continue;
      child.stdout.resume();
      return { said: event as T, stop };
    }
    throw new Error(`kerf ${args[0]} ended before it listened`);
  };

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'kerf-archive-test-'));
    const { stdout } = await run(process.execPath, [join(ROOT, 'packages/cli/archive.mjs'), join(work, 'out')]);
    const { version } = JSON.parse(await readFile(join(ROOT, 'packages/cli/package.json'), 'utf8')) as {
      version: string;
    };
    expect(stdout).toBe(`${join(work, `out/kerf-${version}-${process.platform}-${process.arch}.tar.gz`)}\n`);
    await mkdir(join(work, 'opt'));
    await run('tar', ['-xzf', stdout.trim(), '-C', join(work, 'opt')]);
    expect(await readdir(join(work, 'opt'))).toEqual([`kerf-${version}`]);
    folder = join(work, 'opt', `kerf-${version}`);
    command = join(work, 'kerf');
    await symlink(join(folder, 'kerf'), command);
    files = await filesOf(folder);
    await writeFile(join(work, 'model.onnx'), model);
    const tensor = float32Tensor([1, 32], new Float32Array(32).fill(0.5));
    await writeTensorFile(join(work, 'x.pb'), { name: 'x', tensor });
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await rm(work, { recursive: true, force: true });
  });

  test('holds what this platform runs, and nothing of the workshop', async () => {
    expect((await readdir(folder)).toSorted()).toEqual(['LICENSE', 'kerf', 'node_modules']);
    const packages = await readdir(join(folder, 'node_modules'));
    for (const tool of [
      'electron',
      'vitest',
      'typescript',
      'react',
      'playwright',
      'esbuild',
      '@dagrejs',
      'fflate',
      'uplot',
    ])
      expect(packages).not.toContain(tool);
    expect((await readdir(join(folder, 'node_modules/@kerf/inspector/dist'))).toSorted()).toEqual(['demo', 'renderer']);
    const ours = files.filter((path) => path.startsWith('node_modules/@kerf/'));
    expect(ours.filter((path) => /\.(ts|map)$|^[^/]+\/[^/]+\/[^/]+\/(src|test)(\/|$)/.test(path))).toEqual([]);
    const libraries = files.filter((path) => /onnxruntime-node\/bin\/.*\.(so|dylib|dll|node)/.test(path));
    expect(libraries).not.toEqual([]);
    for (const path of libraries) expect(path).toContain(`/${process.platform}/${process.arch}/`);
  });

  test('splits, checks, serves and runs a model', async () => {
    await kerf('cuts', 'model.onnx');
    await kerf('split', 'model.onnx', '--at', 'product', '--out', 'models/part');
    expect(await kerf('verify', 'model.onnx', 'models/part')).toContain('equal');
    const serve = ['serve', '--models', 'models', '--state', 'state', '--port', '0', '--json'];
    const cloud = await start<{ url: string; certificatePath: string }>(...serve);
    await kerf('token', 'issue', '--key', 'state/token-private.pem', '--subject', 'device', '--out', 'device.token');
    const { url, certificatePath } = cloud.said;
    const line = ['--model', 'models/part', '--cloud', url, '--ca', certificatePath, '--token-file', 'device.token'];
    expect(await kerf('run', ...line, '--input', 'x.pb', '--repeat', '3')).toContain('3 frames, 0 failed');
    expect(await cloud.stop()).toBe(0);
  });

  test('makes a delta with the peer in its own process, and applies it', async () => {
    const old = await readFile(join(work, 'model.onnx'));
    const changed = Uint8Array.from(old);
    changed.set([1, 2, 3, 4], old.length - 8);
    await writeFile(join(work, 'changed.onnx'), changed);
    await kerf('diff', 'model.onnx', 'changed.onnx', '--out', 'delta');
    await kerf('patch', 'model.onnx', 'delta', '--out', 'patched.onnx');
    expect(Buffer.compare(await readFile(join(work, 'patched.onnx')), changed)).toBe(0);
  });

  test('serves the Inspector with its demo line, and a registry', async () => {
    const inspect = await start<{ url: string }>('inspect', '--json');
    const page = await fetch(inspect.said.url);
    expect(page.status).toBe(200);
    const [, script = ''] = /<script[^>]* src="([^"]+)"/.exec(await page.text()) ?? [];
    expect((await fetch(new URL(script, inspect.said.url))).status).toBe(200);
    expect(await inspect.stop()).toBe(0);
    const registry = await start<{ port: number }>('registry', '--data', 'registry', '--port', '0', '--json');
    expect(registry.said.port).toBeGreaterThan(0);
    expect(await registry.stop()).toBe(0);
  });

  test('is never written to', async () => {
    expect(await filesOf(folder)).toEqual(files);
  });

  test('says so where there is no Node, and takes the one beside it first', async () => {
    const tools = join(work, 'tools');
    await mkdir(tools);
    for (const tool of ['sh', 'dirname', 'readlink'])
      await symlink((await run('sh', ['-c', `command -v ${tool}`])).stdout.trim(), join(tools, tool));
    const bare = (): { status: number | null; stdout: string; stderr: string } =>
      spawnSync(command, ['--version'], { env: { PATH: tools }, encoding: 'utf8' });
    expect(bare()).toMatchObject({
      status: 1,
      stdout: '',
      stderr: 'kerf: no Node on this machine: install Node 20.19 or later\n',
    });
    await symlink(process.execPath, join(folder, 'node'));
    expect(bare()).toMatchObject({ status: 0, stderr: '' });
  });

  test.skipIf(electron === null)(
    `an old Node is told which is needed${electron === null ? ' (no Electron to stand for one)' : ''}`,
    () => {
      const { status, stderr } = spawnSync(
        join(electron ?? '', 'electron'),
        [join(folder, 'node_modules/@kerf/cli/bin/kerf.js')],
        {
          env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
          encoding: 'utf8',
        },
      );
      expect(status).toBe(1);
      expect(stderr).toMatch(/^kerf: needs Node 20\.19 or later, and this is 18\.\d+\.\d+\n$/);
    },
  );

  test('its units start commands with options that exist', async () => {
    const units = (await readdir(join(folder, UNITS))).toSorted();
    expect(units).toEqual(['kerf-cloud.service', 'kerf-registry.service', 'kerf-station@.service']);
    for (const unit of units) {
      const [, name = '', rest = ''] =
        /^ExecStart=\/opt\/kerf\/kerf (\S+) (.*)$/m.exec(await readFile(join(folder, UNITS, unit), 'utf8')) ?? [];
      const help = await kerf(name, '--help');
      const options = rest.split(' ').filter((word) => word.startsWith('--'));
      expect(options).not.toEqual([]);
      for (const option of options) expect(help).toMatch(new RegExp(`^ {2}${option} `, 'm'));
    }
  });

  test.skipIf(noSystemd !== null)(
    `its units are right to systemd${noSystemd === null ? '' : ` (${noSystemd})`}`,
    async () => {
      const place = join(work, 'units');
      await mkdir(place);
      for (const unit of await readdir(join(folder, UNITS))) {
        const text = await readFile(join(folder, UNITS, unit), 'utf8');
        // As it will be when the archive is in its place and the user is made.
        await writeFile(join(place, unit), text.replaceAll('/opt/kerf/kerf', command).replace('User=kerf\n', ''));
      }
      const { stderr } = await run('systemd-analyze', [
        'verify',
        ...(await readdir(place)).map((unit) => join(place, unit)),
      ]);
      expect(stderr.split('\n').filter((line) => line.includes(place))).toEqual([]);
    },
  );
});
