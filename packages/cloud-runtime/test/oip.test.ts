// The Open Inference Protocol V2, its binary, repository, statistics and schedule extensions, sentence by sentence.

import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { generateTokenKeys, issueToken } from '@kerf/access';
import { makeTensor, ortBackend, stringTensor, type Tensor } from '@kerf/protocol';
import * as ort from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serveModels, type TestCloud } from './support/cloud.ts';
import {
  floats,
  identityModel,
  oneToOne,
  rowsModel,
  slowModel,
  temporaryFolder,
  writeModel,
  writeTail,
} from './support/models.ts';
import { binaryOutputs, OipClient } from './support/oip-client.ts';

const direct = ortBackend({ name: 'direct', ort, executionProviders: ['cpu'] });
const insecure = { tls: { kind: 'insecure' } } as const;
const INFER = '/v2/models/line/rows/infer';
const WAIT = { timeout: 50_000 };

let dir = '';
let cloud: TestCloud;
const clients: OipClient[] = [];

function clientOf(served: TestCloud, token: string | null = null): OipClient {
  const made = new OipClient(served.port, token);
  clients.push(made);
  return made;
}

beforeEach(() => {
  dir = temporaryFolder();
});
afterEach(() => clients.splice(0).forEach((client) => client.close()));

async function serve(options: Parameters<typeof serveModels>[1] = {}): Promise<OipClient> {
  cloud = await serveModels(dir, { ...insecure, ...options });
  return clientOf(cloud);
}

const x = floats([2, 64], (i) => Math.fround(Math.sin(i)));
const xInput = { name: 'x', datatype: 'FP32', tensor: x };
const jsonInput = (tensor: Tensor, datatype = 'FP32', data?: unknown): object => ({
  name: 'x',
  shape: tensor.shape,
  datatype,
  data: data ?? [...new Float32Array(tensor.data.slice().buffer)],
});

/** Asks, and never reads. */
function lazyReader(port: number, { data, shape }: Tensor): Socket {
  const outputs = [{ name: 'y', parameters: { binary_data: true } }];
  const parameters = { binary_data_size: data.byteLength };
  const json = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape, parameters }], outputs });
  const socket = connect(port);
  socket.on('error', () => {});
  socket.pause();
  socket.write(
    `POST ${INFER} HTTP/1.1\r\nhost: x\r\ncontent-length: ${json.length + data.byteLength}\r\n` +
      `inference-header-content-length: ${json.length}\r\n\r\n${json}`,
  );
  socket.write(data);
  return socket;
}

async function reference(path: string): Promise<Float32Array> {
  const model = await direct.load({ path });
  const y = (await model.run(new Map([['x', x]]))).get('y')!;
  await model.dispose();
  return new Float32Array(y.data.slice().buffer);
}

describe('health and metadata', () => {
  it('are answered as the specification says', async () => {
    writeModel(dir, 'line/rows', rowsModel());
    const client = await serve();
    expect((await client.call('GET', '/v2/health/live')).status).toBe(200);
    expect((await client.call('GET', '/v2/health/ready')).status).toBe(200);
    const server = await client.call('GET', '/v2');
    expect(server.json).toMatchObject({ name: 'kerf', version: expect.any(String) });
    expect(server.json.extensions).toEqual(
      expect.arrayContaining(['binary_tensor_data', 'model_repository', 'statistics']),
    );
    expect((await client.call('GET', '/v2/models/line/rows/ready')).status).toBe(200);
    expect((await client.call('GET', '/v2/models/none/ready')).status).toBe(404);
    // Clients escape the slash of a name, or leave it.
    for (const name of ['line/rows', 'line%2Frows']) {
      const { json } = await client.call('GET', `/v2/models/${name}`);
      expect(json).toEqual({
        name: 'line/rows',
        versions: ['1'],
        platform: 'onnx_onnxv1',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 64] }],
        outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 64] }],
      });
    }
    expect((await client.call('GET', '/v2/models/line/rows/config')).json).toMatchObject({
      max_batch_size: 0,
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [-1, 64] }],
    });
  });

  it('know the versions of a model', async () => {
    writeModel(dir, 'part/3', rowsModel());
    writeModel(dir, 'part/12', rowsModel());
    const client = await serve();
    expect((await client.call('GET', '/v2/models/part')).json.versions).toEqual(['3', '12']);
    expect((await client.binaryInfer('/v2/models/part/infer', [xInput])).json.model_version).toBe('12');
    expect((await client.binaryInfer('/v2/models/part/versions/3/infer', [xInput])).json.model_version).toBe('3');
    expect((await client.call('GET', '/v2/models/part/versions/4/ready')).status).toBe(404);
  });

  it('leave out a version that was refused, which the index lists with the reason', async () => {
    writeModel(dir, 'part/3', rowsModel());
    const client = await serve();
    await client.call('GET', '/v2/models/part/ready');
    writeFileSync(writeModel(dir, 'part/4', rowsModel()), 'no model');
    expect((await client.call('GET', '/v2/models/part/versions/4/ready')).status).toBe(400);
    expect((await client.call('GET', '/v2/models/part')).json.versions).toEqual(['3']);
    expect((await client.call('POST', '/v2/repository/index')).json).toEqual([
      { name: 'part', version: '3', state: 'READY', reason: '' },
      { name: 'part', version: '4', state: 'UNAVAILABLE', reason: expect.stringMatching(/\w/) },
    ]);
  });
});

describe('inference', () => {
  it('takes flat and nested JSON and gives JSON', async () => {
    const path = writeModel(dir, 'line/rows', rowsModel());
    const client = await serve();
    const want = await reference(path);
    const flat = [...new Float32Array(x.data.slice().buffer)];
    for (const data of [flat, [flat.slice(0, 64), flat.slice(64)]]) {
      const { status, json, headers } = await client.call('POST', INFER, {
        id: 'a1',
        inputs: [jsonInput(x, 'FP32', data)],
      });
      expect(status).toBe(200);
      expect(headers['content-type']).toBe('application/json');
      expect(json).toMatchObject({ model_name: 'line/rows', model_version: '1', id: 'a1' });
      expect(json.outputs[0]).toMatchObject({ name: 'y', datatype: 'FP32', shape: [2, 64] });
      expect(Float32Array.from(json.outputs[0].data)).toEqual(want);
    }
  });

  it('takes and gives binary tensors, in the order of the inputs', async () => {
    writeModel(dir, 'line/rows', rowsModel());
    writeModel(dir, 'two', {
      nodes: [{ op: 'Sub', inputs: ['a', 'b'], outputs: ['y'] }],
      inputs: ['a', 'b'].map((name) => ({ name, dtype: 'float32' as const, shape: ['N'] })),
      outputs: [{ name: 'y', dtype: 'float32', shape: ['N'] }],
    });
    const client = await serve();
    const a = floats([3], (i) => 10 * i);
    const b = floats([3], (i) => i);
    const inputs = [
      { name: 'b', datatype: 'FP32', tensor: b },
      { name: 'a', datatype: 'FP32', tensor: a },
    ];
    const answer = await client.binaryInfer('/v2/models/two/infer', inputs, {
      parameters: { binary_data_output: true },
    });
    expect(answer.headers['content-type']).toBe('application/octet-stream');
    const y = binaryOutputs(answer).get('y')!;
    expect([...new Float32Array(Uint8Array.from(y).buffer)]).toEqual([0, 9, 18]);
    // An output's own parameter goes before the request's.
    const mixed = await client.binaryInfer('/v2/models/two/infer', inputs, {
      parameters: { binary_data_output: true },
      outputs: [{ name: 'y', parameters: { binary_data: false } }],
    });
    expect(mixed.json.outputs[0].data).toEqual([0, 9, 18]);
    const asked = await client.call('POST', '/v2/models/two/infer', {
      inputs: [
        { name: 'a', datatype: 'FP32', shape: [1], data: [5] },
        { name: 'b', datatype: 'FP32', shape: [1], data: [2] },
      ],
      outputs: [{ name: 'y', parameters: { binary_data: true } }],
    });
    expect(binaryOutputs(asked).get('y')!.readFloatLE(0)).toBe(3);
  });

  it('takes a raw body where the shape follows from its length', async () => {
    writeModel(dir, 'line/rows', rowsModel());
    const client = await serve();
    const raw = await client.call('POST', INFER, x.data, { 'inference-header-content-length': 0 });
    expect(raw.json.outputs[0].shape).toEqual([2, 64]);
    expect(binaryOutputs(raw).get('y')!.byteLength).toBe(512);
    const odd = await client.call('POST', INFER, x.data.subarray(1), { 'inference-header-content-length': 0 });
    expect(odd.status).toBe(400);
  });

  it('carries every datatype, strings and booleans among them', async () => {
    const client = await serve();
    const cases: [string, Tensor, unknown][] = [
      ['UINT8', makeTensor('uint8', [2], Uint8Array.of(1, 255)), [1, 255]],
      ['INT64', makeTensor('int64', [2], new Uint8Array(BigInt64Array.of(-5n, 7n).buffer)), [-5, 7]],
      ['FP64', makeTensor('float64', [2], new Uint8Array(Float64Array.of(0.1, -2).buffer)), [0.1, -2]],
      ['BOOL', makeTensor('bool', [2], Uint8Array.of(1, 0)), [true, false]],
      ['BYTES', stringTensor([2], ['größe', '']), ['größe', '']],
    ];
    for (const [datatype, tensor, data] of cases) {
      const { dtype } = tensor;
      writeModel(dir, datatype, {
        nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
        inputs: [{ name: 'x', dtype, shape: ['N'] }],
        outputs: [{ name: 'y', dtype, shape: ['N'] }],
      });
      const path = `/v2/models/${datatype}/infer`;
      const asJson = await client.call('POST', path, { inputs: [{ name: 'x', datatype, shape: [2], data }] });
      expect(asJson.json, datatype).toMatchObject({ outputs: [{ datatype, shape: [2], data }] });
      const asBinary = await client.binaryInfer(path, [{ name: 'x', datatype, tensor }], {
        parameters: { binary_data_output: true },
      });
      expect(Buffer.compare(binaryOutputs(asBinary).get('y')!, tensor.data), datatype).toBe(0);
    }
  });

  it('serves tails by their ids, with the pair of their own split.json', async () => {
    writeTail(dir, 'tail', rowsModel());
    const client = await serve();
    expect((await client.binaryInfer('/v2/models/tail/infer', [xInput])).status).toBe(200);
  });

  it('answers wrong requests with what is wrong, and goes on', async () => {
    writeModel(dir, 'line/rows', rowsModel());
    writeModel(dir, 'half', {
      nodes: [{ op: 'Cast', inputs: ['x'], outputs: ['y'], attributes: { to: 10 } }],
      inputs: [{ name: 'x', dtype: 'float32', shape: ['N'] }],
      outputs: [{ name: 'y', dtype: 'float16', shape: ['N'] }],
    });
    writeModel(dir, 'nan', oneToOne([{ op: 'Log', inputs: ['x'], outputs: ['y'] }], ['N']));
    const client = await serve({ limits: { maxJsonBytes: 10_000 }, wire: { maxMessageBytes: 100_000 } });
    const wrong: [unknown, number, RegExp][] = [
      ['{', 400, /JSON/],
      ['[]', 400, /object/],
      [{}, 400, /inputs/],
      [{ inputs: [] }, 400, /'x'.*missing/],
      [{ inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 63], data: [] }] }, 400, /126 elements/],
      [{ inputs: [{ name: 'x', datatype: 'FP33', shape: [1, 64], data: [] }] }, 400, /datatype/],
      [{ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, -64], data: [] }] }, 400, /shape/],
      [{ inputs: [{ name: 'x', datatype: 'INT8', shape: [1], data: [128] }] }, 400, /int8/],
      [{ inputs: [{ name: 'x', datatype: 'FP16', shape: [1], data: [1] }] }, 400, /binary/],
      [{ inputs: [null] }, 400, /'inputs\[0\]' must be an object/],
      [{ inputs: [jsonInput(x), jsonInput(x)] }, 400, /'x' is there twice/],
      [{ inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: ['1'] }] }, 400, /no float32$/],
      [{ inputs: [{ name: 'x', datatype: 'INT64', shape: [1], data: [2 ** 60] }] }, 400, /2\^53 as binary/],
      [{ inputs: [jsonInput(x)], outputs: [{ name: 'z' }] }, 400, /no output 'z'; it has y/],
      [{ inputs: [jsonInput(x)], parameters: { timeout: 'soon' } }, 400, /timeout/],
      [`{"inputs":${'['.repeat(4000)}`, 400, /JSON/],
    ];
    const all = await client.call('POST', INFER, { inputs: [jsonInput(x)], outputs: [] });
    expect(all.json.outputs).toMatchObject([{ name: 'y' }]);
    expect((await client.call('GET', '/v2/models/none')).json.error).toContain("no model 'none'");
    for (const [body, status, message] of wrong) {
      const answer = await client.call('POST', INFER, body as object);
      expect([answer.status, answer.json?.error], JSON.stringify(body)).toEqual([
        status,
        expect.stringMatching(message),
      ]);
    }
    const binary = await client.call('POST', INFER, Buffer.alloc(5), { 'inference-header-content-length': 9 });
    expect(binary).toMatchObject({ status: 400, json: { error: expect.stringContaining('holds') } });
    const short = await client.binaryInfer(INFER, [{ ...xInput, tensor: { ...x, shape: [4, 64] } }]);
    expect(short).toMatchObject({ status: 400, json: { error: expect.stringContaining('bytes') } });
    const large = await client.call('POST', INFER, Buffer.alloc(200_000), { 'inference-header-content-length': 5 });
    expect(large.status).toBe(413);
    const long = await client.call('POST', INFER, `{"inputs":[]${' '.repeat(10_000)}}`);
    expect(long.status).toBe(413);
    expect((await client.call('POST', INFER, 'x', { 'content-encoding': 'gzip' })).status).toBe(400);
    expect((await client.call('GET', INFER)).status).toBe(405);
    expect((await client.call('GET', '/v2/models/%E0%A4%A/ready')).status).toBe(400);
    expect((await client.call('GET', '/v3')).status).toBe(404);
    for (const [model, data] of [
      ['half', 1],
      ['nan', -1],
    ] as const) {
      const answer = await client.call('POST', `/v2/models/${model}/infer`, {
        inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [data] }],
      });
      expect(answer, model).toMatchObject({ status: 400, json: { error: expect.stringContaining('binary') } });
    }
    expect((await client.binaryInfer(INFER, [xInput])).status).toBe(200);
    expect(cloud.events.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('drops a frame whose time is over, and one whose client has gone', async () => {
    writeModel(dir, 'line/rows', rowsModel());
    const client = await serve({ queue: { admission: false }, preload: ['line/rows'] });
    const metrics = async (): Promise<string> => (await client.call('GET', '/metrics')).body.toString('utf8');
    const heldBytes = async (): Promise<number> =>
      Number(/^kerf_in_flight_bytes (\d+)/m.exec(await metrics())?.[1] ?? Number.NaN);
    const failures = async (reason: string): Promise<boolean> =>
      (await metrics()).includes(`nv_inference_request_failure{model="line/rows",version="1",reason="${reason}"} 1`);
    // A worker that stands still runs its frame for as long as it has to; whoever comes meanwhile waits behind it.
    for (const pid of cloud.workerPids) process.kill(pid, 'SIGSTOP');
    const served = client.binaryInfer(INFER, [xInput]);
    await expect.poll(heldBytes, WAIT).toBeGreaterThan(0);
    const oneFrame = await heldBytes();
    expect((await client.binaryInfer(INFER, [xInput], { parameters: { timeout: 20_000 } })).status).toBe(504);
    await expect.poll(() => failures('REJECTED'), WAIT).toBe(true);
    const gone = clientOf(cloud);
    const lost = gone.binaryInfer(INFER, [xInput]).catch(() => 'gone');
    await expect.poll(heldBytes, WAIT).toBeGreaterThan(oneFrame);
    gone.close();
    expect(await lost).toBe('gone');
    await expect.poll(() => failures('CANCELED'), WAIT).toBe(true);
    for (const pid of cloud.workerPids) process.kill(pid, 'SIGCONT');
    expect((await served).status).toBe(200);
  });
});

describe('the repository', () => {
  it('lists what the token covers, loads and unloads for whoever may', async () => {
    writeModel(dir, 'part/1', rowsModel());
    writeModel(dir, 'part/2', rowsModel());
    writeModel(dir, 'other', identityModel());
    const keys = generateTokenKeys();
    const publicKey = join(temporaryFolder(), 'public.pem');
    writeFileSync(publicKey, keys.publicKeyPem);
    const tokenFor = (models: string[], cloudClaim: string[] = []): Promise<string> =>
      issueToken({ privateKeyPem: keys.privateKeyPem, subject: 's', models, cloud: cloudClaim, expiresInSeconds: 60 });
    await serve({ auth: { kind: 'token', publicKeyPaths: [publicKey], audience: 'kerf-cloud' } });
    const user = clientOf(cloud, await tokenFor(['part']));
    const manager = clientOf(cloud, await tokenFor(['*'], ['manage']));
    const stranger = await clientOf(cloud).call('GET', '/v2');
    expect(stranger).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
    expect((await clientOf(cloud, 'a.b.c').call('GET', '/v2/models/part')).status).toBe(401);
    const index = async (body: object | null = null): Promise<string[]> =>
      (await manager.call('POST', '/v2/repository/index', body)).json.map(
        ({ name, version, state }: Record<string, string>) => `${name} ${version} ${state}`,
      );
    expect((await user.call('POST', '/v2/repository/index')).json).toHaveLength(2);
    expect(await index()).toEqual(['other 1 UNAVAILABLE', 'part 1 UNAVAILABLE', 'part 2 UNAVAILABLE']);
    expect((await user.call('POST', '/v2/repository/models/part/load')).status).toBe(403);
    expect((await user.call('GET', '/v2/models/other')).status).toBe(403);
    expect((await manager.call('POST', '/v2/repository/models/part/load', {})).status).toBe(200);
    expect(await index({ ready: true })).toEqual(['part 2 READY']);
    expect((await manager.call('POST', '/v2/repository/models/part/unload', {})).status).toBe(200);
    expect(await index({ ready: true })).toEqual([]);
    expect((await user.call('GET', '/v2/models/part/ready')).status).toBe(404);
    expect((await manager.call('POST', '/v2/repository/models/part/load', {})).status).toBe(200);
    expect((await user.call('GET', '/v2/models/part/ready')).status).toBe(200);
    expect((await manager.call('POST', '/v2/repository/models/none/load', {})).status).toBe(404);
    const parameters = { parameters: { config: '{}' } };
    expect((await manager.call('POST', '/v2/repository/models/part/load', parameters)).status).toBe(400);
    const events = JSON.stringify(cloud.events);
    expect(events).not.toContain(await tokenFor(['part']).then((token) => token.slice(0, 40)));
  });
});

describe('statistics and metrics', () => {
  it('hold the fields that perf_analyzer and dashboards read', async () => {
    writeModel(dir, 'line/rows', rowsModel());
    const client = await serve();
    for (let count = 0; count < 3; count++) await client.binaryInfer(INFER, [xInput]);
    await client.call('POST', INFER, { inputs: [] });
    const [stats] = (await client.call('GET', '/v2/models/line/rows/stats')).json.model_stats;
    expect(stats).toMatchObject({ name: 'line/rows', version: '1', inference_count: 6, execution_count: 3 });
    expect(stats.last_inference).toBeGreaterThan(1e12);
    for (const name of ['success', 'queue', 'compute_input', 'compute_infer', 'compute_output']) {
      expect(stats.inference_stats[name], name).toEqual({ count: 3, ns: expect.any(Number) });
    }
    expect(stats.inference_stats.fail.count).toBe(0);
    expect(stats.inference_stats.compute_infer.ns).toBeGreaterThan(0);
    expect(stats.batch_stats).toEqual([expect.objectContaining({ batch_size: 2 })]);
    expect((await client.call('GET', '/v2/models/stats')).json.model_stats).toHaveLength(1);
    const metrics = (await client.call('GET', '/metrics')).body.toString('utf8');
    for (const line of [
      'nv_inference_count{model="line/rows",version="1"} 6',
      'nv_inference_exec_count{model="line/rows",version="1"} 3',
      'nv_inference_request_success{model="line/rows",version="1"} 3',
      'kerf_inference_request_seconds_count{model="line/rows",version="1"} 3',
      'kerf_inference_batch_rows_bucket{le="2",model="line/rows",version="1"} 3',
    ]) {
      expect(metrics).toContain(line);
    }
    for (const name of ['queue', 'compute_input', 'compute_infer', 'compute_output', 'request']) {
      expect(metrics).toContain(`nv_inference_${name}_duration_us{model="line/rows",version="1"}`);
    }
  });
});

describe('connections', () => {
  it('of whoever has shown a token do not take the places of strangers', async () => {
    writeModel(dir, 'line/rows', rowsModel());
    const client = await serve({ limits: { maxUnauthenticated: 2 } });
    await Promise.all(Array.from({ length: 2 }, () => client.binaryInfer(INFER, [xInput])));
    await Promise.all(Array.from({ length: 2 }, () => clientOf(cloud).binaryInfer(INFER, [xInput])));
    expect((await client.binaryInfer(INFER, [xInput])).status).toBe(200);
  });

  it('whose request has been run hold its answer, and no longer the request as well', async () => {
    writeModel(dir, 'line/rows', identityModel());
    const client = await serve({ limits: { maxInFlightBytes: 3 << 20 } });
    const input = { name: 'x', datatype: 'FP32', tensor: floats([1, 1 << 19], () => 1) };
    const { status, json } = await client.binaryInfer(INFER, [input]);
    expect(status, json?.error).toBe(200);
  });

  it('that were gone before their frame had run hold nothing', async () => {
    writeModel(dir, 'line/rows', slowModel(8));
    const client = await serve({ preload: ['line/rows'] });
    const metric = async (pattern: RegExp): Promise<number> =>
      Number(pattern.exec((await client.call('GET', '/metrics')).body.toString())?.[1] ?? 0);
    const socket = lazyReader(
      cloud.port,
      floats([1024, 1024], (i) => (i % 7) / 7),
    );
    while (socket.writableLength > 0) await pause(5);
    await pause(300);
    socket.destroy();
    // One that had not reached the worker by then is dropped, and counts as failed.
    while ((await metric(/^nv_inference_request_(?:success|failure)\{.*\} ([1-9])/m)) === 0) await pause(20);
    await pause(50);
    expect(await metric(/^kerf_in_flight_bytes (\d+)/m)).toBe(0);
  });

  it('that do not read their answers hold a bounded number of bytes, and nobody up once they are gone', async () => {
    writeModel(dir, 'line/rows', identityModel());
    const client = await serve({ limits: { maxInFlightBytes: 40 << 20 } });
    const input = { name: 'x', datatype: 'FP32', tensor: floats([4, 1 << 20], () => 1) };
    const held = async (): Promise<number> =>
      Number(/^kerf_in_flight_bytes (\d+)/m.exec((await client.call('GET', '/metrics')).body.toString())?.[1]);
    const readers = [1, 2].map(() => lazyReader(cloud.port, input.tensor));
    while ((await held()) < 32 << 20) await pause(5);
    expect(await client.binaryInfer(INFER, [input])).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    for (const socket of readers) socket.destroy();
    while ((await held()) > 0) await pause(5);
    expect((await client.binaryInfer(INFER, [input])).status).toBe(200);
  });

  it('that only pretend to send a body hold no memory, and are cut off', async () => {
    writeModel(dir, 'line/rows', rowsModel());
    const client = await serve({ limits: { greetingTimeoutMs: 200 } });
    const socket = connect(cloud.port);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.write('POST /v2/models/line/rows/infer HTTP/1.1\r\nhost: x\r\ncontent-len');
    await closed;
    expect((await client.binaryInfer(INFER, [xInput])).status).toBe(200);
  });
});

describe('a drain', () => {
  it('answers the requests under way, sends later ones elsewhere, and keeps no connection', async () => {
    writeModel(dir, 'slow', slowModel(8));
    const client = await serve({ preload: ['slow'] });
    const input = { name: 'x', datatype: 'FP32', tensor: floats([1024, 1024], (i) => (i % 7) / 7) };
    const isBusy = async (): Promise<boolean> =>
      Number(/^kerf_in_flight_bytes (\d+)/m.exec((await client.call('GET', '/metrics')).body.toString())?.[1]) > 8e6;
    const asked = [1, 2].map(() => client.binaryInfer('/v2/models/slow/infer', [input]));
    while (!(await isBusy())) await pause(5);
    const drained = cloud.drain(60_000);
    const late = await client.call('GET', '/v2/models/slow');
    expect([late.status, late.json.code, late.headers.connection]).toEqual([503, 'DRAINING', 'close']);
    for (const { status, headers, json } of await Promise.all(asked)) {
      expect(status, json?.error).toBe(200);
      expect(headers.connection).toBe('close');
    }
    await drained;
  }, 60_000);
});
