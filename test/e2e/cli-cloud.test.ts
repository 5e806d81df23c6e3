// `kerf token`, `kerf serve` and `kerf run` together: frames here, there and split, and what each failure says.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type CloudProcess, decodeNpy, KERF_BIN } from '@kerf/cli';
import { developmentCertificate } from '@kerf/cloud-runtime';
import { writeTensorFile } from '@kerf/onnx/node';
import { compareTensors } from '@kerf/splitter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { doubler, isDoubled, PICTURE, REAL, rowOf } from './support/models.ts';
import { expectRefusal, jsonLines, jsonOf, type Ran, runKerf } from './support/run-kerf.ts';
import { openWorkshop, until, type Workshop } from './support/workshop.ts';

const SIZE = ['--size', '192x48', '--mean', '0.5', '--std', '0.5'];
const CUT = 'relu_1.tmp_0';

let shop: Workshop;
let cloud: CloudProcess;
const kerf = (...args: string[]): Promise<Ran> => runKerf(args, { cwd: shop.folder });
/** Of a port that nobody listens on. */
let nowhere = '';

beforeAll(async () => {
  shop = await openWorkshop();
  await shop.split(REAL.classifier, [CUT], 'line1/classifier');
  await copyFile(REAL.classifier, join(shop.models, 'whole.onnx'));
  await shop.split(doubler(), ['mid'], 'doubler');
  cloud = await shop.serve(0);
  await writeFile(join(shop.folder, 'all.token'), `${await shop.token()}\n`);
  await writeFile(join(shop.folder, 'other.token'), await shop.token({ models: ['line2/*'] }));
  await writeFile(join(shop.folder, 'expired.token'), await shop.token({ expiresInSeconds: 1 }));
  await writeFile(join(shop.folder, 'no.token'), 'nonsense');
  const other = await developmentCertificate(join(shop.folder, 'other-state'), []);
  await copyFile(other.certPath, join(shop.folder, 'other-ca.pem'));
  await writeTensorFile(join(shop.folder, 'row.pb'), { name: 'x', tensor: rowOf(3, 8) });
  const free = await shop.serve(0, '--no-tls', '--no-auth');
  nowhere = `wss://127.0.0.1:${free.port}`;
  await free.stop();
  // A token of one second is over by now, whatever the rest took.
  await new Promise((resolve) => setTimeout(resolve, 1500));
});
afterAll(() => shop?.remove());

interface Summary {
  readonly status: number | null;
  readonly frames: Record<string, unknown>[];
  readonly summary: Record<string, unknown> | undefined;
}

/** `kerf run --json` against the cloud, or the one that `at` names. */
async function run(args: readonly string[], { at = cloud.url, token = 'all.token', ca = 'state/dev-cert.pem' } = {}) {
  const access = [...(ca === '' ? [] : ['--ca', ca]), ...(token === '' ? [] : ['--token-file', token])];
  return kerf('run', '--cloud', at, ...access, '--json', ...args);
}

function summaryOf(ran: Ran): Summary {
  const lines = jsonLines(ran.stdout);
  const frames = lines.filter(({ kind }) => kind !== 'summary');
  return { status: ran.status, frames, summary: lines.find(({ kind }) => kind === 'summary') };
}

describe('token', () => {
  test('keys are made once, the private one for its owner alone', async () => {
    const made = jsonOf<{ keyId: string; privateKey: string }>(await kerf('token', 'keys', '--out', 'keys', '--json'));
    expect(made).toEqual({
      keyId: expect.any(String),
      privateKey: join('keys', 'token-private.pem'),
      publicKey: join('keys', 'token-public.pem'),
    });
    expect((await stat(join(shop.folder, made.privateKey))).mode & 0o777).toBe(0o600);
    const before = await readFile(join(shop.folder, made.privateKey), 'utf8');
    expectRefusal(await kerf('token', 'keys', '--out', 'keys'), 1, 'FILE_EXISTS');
    expect(await readFile(join(shop.folder, made.privateKey), 'utf8')).toBe(before);
  });

  test('issue says what show reads', async () => {
    const options = [
      '--key',
      'state/token-private.pem',
      '--subject',
      'camera-7',
      '--models',
      'a/*,b',
      '--expires',
      '2h',
    ];
    const { token, claims } = jsonOf<{ token: string; claims: { iat: number; exp: number } }>(
      await kerf('token', 'issue', ...options, '--json'),
    );
    expect(claims).toMatchObject({ sub: 'camera-7', models: ['a/*', 'b'], aud: 'kerf-cloud' });
    expect(claims.exp - claims.iat).toBe(7200);
    expect(jsonOf(await kerf('token', 'show', token, '--json'))).toEqual(claims);
    expect((await kerf('token', 'show', token)).stdout).toMatch(/^subject {2}camera-7\nmodels {3}\["a\/\*","b"\]\n/);
    await kerf('token', 'issue', ...options, '--out', 'camera.token');
    expect((await stat(join(shop.folder, 'camera.token'))).mode & 0o777).toBe(0o600);
    // A newer one takes its place, and that of no other file.
    await kerf('token', 'issue', ...options, '--expires', '7d', '--out', 'camera.token');
    const newer = (await readFile(join(shop.folder, 'camera.token'), 'utf8')).trim();
    expect((await kerf('token', 'show', newer)).status).toBe(0);
    await writeFile(join(shop.folder, 'precious.onnx'), 'a model');
    expectRefusal(await kerf('token', 'issue', ...options, '--out', 'precious.onnx'), 1, 'FILE_EXISTS');
    expect(await readFile(join(shop.folder, 'precious.onnx'), 'utf8')).toBe('a model');
  });

  test('refuses what makes no token', async () => {
    const key = ['--key', 'state/token-private.pem'];
    expectRefusal(await kerf('token', 'issue', '--subject', 'a'), 1, 'FILE_NOT_FOUND');
    expectRefusal(await kerf('token', 'issue', ...key), 2, 'INVALID_ARGUMENT');
    expectRefusal(await kerf('token', 'issue', ...key, '--subject', 'a', '--expires', 'soon'), 2, 'INVALID_ARGUMENT');
    expectRefusal(await kerf('token', 'show', 'nonsense'), 2, 'INVALID_ARGUMENT');
  });
});

describe('serve', () => {
  test('makes keys and certificate at the first start and uses them at the second', async () => {
    const files = ['token-private.pem', 'token-public.pem', 'dev-cert.pem', 'dev-key.pem'];
    const read = () => Promise.all(files.map((file) => readFile(join(shop.state, file), 'utf8')));
    for (const file of ['token-private.pem', 'dev-key.pem'])
      expect((await stat(join(shop.state, file))).mode & 0o777).toBe(0o600);
    const before = await read();
    const second = await shop.serve(0);
    expect(await read()).toEqual(before);
    await second.stop();
    expect(second.child.exitCode).toBe(0);
  });

  test('refuses a port that is taken, and plain text for other machines', async () => {
    // Standard output is its log.
    const serve = async (...args: string[]): Promise<Ran> => ({
      ...(await kerf('serve', '--models', 'models', '--state', 'state', ...args)),
      stdout: '',
    });
    expectRefusal(await serve('--port', String(cloud.port)), 2, 'INVALID_ARGUMENT');
    expectRefusal(await serve('--port', '0', '--no-tls', '--host', '0.0.0.0'), 2, 'INVALID_ARGUMENT');
    expectRefusal(await serve('--port', '0', '--cert', 'x.pem'), 2, 'INVALID_ARGUMENT');
    expectRefusal(await serve('--port', '0', '--preload', 'none'), 1, 'MODEL_NOT_FOUND');
  });

  test('tells a person where it is and how to get a token', async () => {
    const ran = await runKerf(['serve', '--models', 'models', '--state', 'state', '--port', '0'], {
      cwd: shop.folder,
      timeoutMs: 3000,
    });
    expect(ran.stdout).toMatch(
      /kerf cloud at wss:\/\/127\.0\.0\.1:\d+\n {2}edges trust it with --ca state\/dev-cert\.pem/,
    );
    expect(ran.stdout).toContain('kerf token issue --key state/token-private.pem');
  });
});

describe('run', () => {
  const picture = ['--input', PICTURE, ...SIZE];

  test('gives the same answer split, here and there with a PNG', async () => {
    const places = {
      split: ['--model', 'models/line1/classifier', '--id', 'line1/classifier', '--no-fallback'],
      cloud: ['--id', 'whole'],
    };
    const answerIn = async (folder: string) =>
      decodeNpy(await readFile(join(shop.folder, folder, 'frame_0_output_0.npy')));
    for (const [place, args] of Object.entries(places)) {
      const { status, frames, summary } = summaryOf(await run([...args, ...picture, '--out', `out-${place}`]));
      expect(status).toBe(0);
      expect(frames).toEqual([
        expect.objectContaining({ kind: 'result', frame: 0, placement: place, fallbackReason: null }),
      ]);
      expect(summary).toMatchObject({ frames: 1, failed: 0, placements: { [place]: 1 } });
    }
    const here = await kerf('run', '--model', REAL.classifier, ...picture, '--out', 'out-edge');
    expect(here.status).toBe(0);
    const whole = await answerIn('out-edge');
    expect(whole).toMatchObject({ dtype: 'float32', shape: [1, 2] });
    expect(await answerIn('out-cloud'), 'a PNG loses nothing').toEqual(whole);
    const relative = { relative: 1e-5, absolute: 1e-7 };
    expect(compareTensors(whole, await answerIn('out-split'), relative)).toMatchObject({ isWithin: true });
  });

  test('takes the id from the folder, the token from KERF_TOKEN, and many frames at a time', async () => {
    const args = ['run', '--cloud', cloud.url, '--ca', 'state/dev-cert.pem', '--model', 'models/doubler', '--json'];
    const ran = await runKerf([...args, '--input', 'row.pb', '--repeat', '30', '--in-flight', '8', '--out', 'rows'], {
      cwd: shop.folder,
      env: { KERF_TOKEN: await shop.token({ models: ['doubler'] }) },
    });
    const { status, frames, summary } = summaryOf(ran);
    expect({ status, placements: summary?.['placements'] }).toEqual({ status: 0, placements: { split: 30 } });
    expect(frames.map(({ frame }) => frame).sort((a, b) => Number(a) - Number(b))).toEqual([...Array(30).keys()]);
    for (const { frame } of frames) {
      const file = join(shop.folder, `rows/frame_${String(frame)}_output_0.npy`);
      expect(isDoubled(decodeNpy(await readFile(file)), 3, 8)).toBe(true);
    }
  });

  test('numbers frames in the order of the inputs, whichever file was read first', async () => {
    const rows = [200_000, 8, 100_000, 4];
    const inputs = await Promise.all(
      rows.map(async (length, index) => {
        const name = `row-${index}.pb`;
        await writeTensorFile(join(shop.folder, name), { name: 'x', tensor: rowOf(index, length) });
        return name;
      }),
    );
    const args = ['--model', 'models/doubler', '--in-flight', '4', '--out', 'ordered', '--input', ...inputs];
    const { status, frames } = summaryOf(await run(args));
    expect(status).toBe(0);
    const numbered = frames.toSorted((a, b) => Number(a['frame']) - Number(b['frame']));
    expect(numbered.map(({ input }) => input)).toEqual(inputs);
    for (const [index, length] of rows.entries()) {
      const file = join(shop.folder, `ordered/frame_${index}_output_0.npy`);
      expect(isDoubled(decodeNpy(await readFile(file)), index, length), `frame ${index}`).toBe(true);
    }
  });

  const split = ['--model', 'models/doubler', '--input', 'row.pb'];
  describe.each([
    { why: 'an expired token', code: 'TOKEN_EXPIRED', with: { token: 'expired.token' } },
    { why: 'a token for other models', code: 'FORBIDDEN', with: { token: 'other.token' } },
    { why: 'no token', code: 'UNAUTHENTICATED', with: { token: '' } },
    { why: 'a token that is none', code: 'UNAUTHENTICATED', with: { token: 'no.token' } },
    { why: 'the authority of another cloud', code: 'TLS_UNTRUSTED', with: { ca: 'other-ca.pem' } },
    { why: 'no authority', code: 'TLS_UNTRUSTED', with: { ca: '' } },
    { why: 'an id that is not there', code: 'MODEL_NOT_FOUND', with: {}, args: ['--id', 'none'] },
    { why: 'no cloud', code: 'LINK_LOST', with: {}, down: true, args: ['--deadline', '2s'] },
  ])('with $why', ({ code, with: access, args = [], down = false }) => {
    const at = (): { at?: string } => (down ? { at: nowhere } : {});

    test('frames of a split end with the code, and the status is 1', async () => {
      const ran = await run([...split, '--no-fallback', ...args], { ...access, ...at() });
      const { status, frames, summary } = summaryOf(ran);
      expect(status).toBe(1);
      expect(frames).toEqual([expect.objectContaining({ kind: 'failed', code, message: expect.any(String) })]);
      expect(summary).toMatchObject({ frames: 1, failed: 1, placements: {}, p50Ms: null });
      expect(ran.stderr).toMatch(new RegExp(`^(kerf: ${code}: [^\n]+\n)+$`));
    });

    test('a device with the tail does without', async () => {
      const { status, frames } = summaryOf(await run([...split, ...args], { ...access, ...at() }));
      expect(status).toBe(0);
      expect(frames).toEqual([expect.objectContaining({ kind: 'result', placement: 'edge', fallbackReason: code })]);
    });

    test('a device with nothing says it in one line', async () => {
      const id = args.includes('--id') ? [] : ['--id', 'doubler'];
      expectRefusal(await run([...id, '--input', 'row.pb', ...args], { ...access, ...at() }), 1, code);
    });
  });

  test('refuses what cannot be meant', async () => {
    expectRefusal(await run(['--model', REAL.classifier, ...picture]), 2, 'INVALID_ARGUMENT');
    expectRefusal(await run(['--input', 'row.pb']), 2, 'INVALID_ARGUMENT');
    expectRefusal(await run([...split], { at: 'http://127.0.0.1:1' }), 2, 'INVALID_ARGUMENT');
    expectRefusal(await run([...split], { token: 'nowhere.token' }), 1, 'FILE_NOT_FOUND');
    expectRefusal(await run(['--id', 'whole', '--input', PICTURE]), 2, 'INVALID_ARGUMENT');
    expectRefusal(await run(['--model', 'nowhere', '--input', 'row.pb']), 1, 'FILE_NOT_FOUND');
  });
});

test('a cloud that another command has started does not outlive it, not even by SIGKILL', async () => {
  const start = `
    import { startCloudProcess } from ${JSON.stringify(pathToFileURL(join(dirname(KERF_BIN), '../dist/index.js')).href)};
    const { child } = await startCloudProcess(['--models', 'models', '--state', 'own', '--port', '0', '--no-tls', '--no-auth']);
    process.stdout.write(String(child.pid));`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', start], {
    cwd: shop.folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(said.toString());
  expect(isRunning(pid)).toBe(true);
  parent.kill('SIGKILL');
  await until(() => !isRunning(pid), 'the cloud has ended');
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
