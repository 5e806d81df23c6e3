// A session with a real head, a real socket and a real tail behind it, against the whole model.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildModel } from '@kerf/onnx';
import {
  type Backend,
  decodeMessage,
  encodeMessage,
  float32Tensor,
  type LoadedModel,
  type SplitManifest,
  SUBPROTOCOL,
  systemClock,
  type TensorMap,
} from '@kerf/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { nodeBackend } from '../src/node/node-backend.ts';
import { openSplitFolder } from '../src/node/split-folder.ts';
import { openMainModel } from '../src/node/station/open-models.ts';
import { wsConnect } from '../src/node/ws-connect.ts';
import { EdgeSession } from '../src/session/edge-session.ts';
import type { SessionStatus } from '../src/session/status.ts';
import { parseStationConfig } from '../src/station/station-file.ts';
import { SPLIT } from './support/fixtures.ts';

const value = (name: string) => ({ name, dtype: 'float32' as const, shape: [1, 'n'] });
const headNodes = [{ op: 'Relu', inputs: ['x'], outputs: ['mid'] }];
const tailNodes = [{ op: 'Add', inputs: ['mid', 'mid'], outputs: ['y'] }];
const head = buildModel({ nodes: headNodes, inputs: [value('x')], outputs: [value('mid')] });
const tail = buildModel({ nodes: tailNodes, inputs: [value('mid')], outputs: [value('y')] });
const whole = buildModel({ nodes: [...headNodes, ...tailNodes], inputs: [value('x')], outputs: [value('y')] });

const part = (file: string, bytes: Uint8Array) => ({
  file,
  bytes: bytes.byteLength,
  sha256: createHash('sha256').update(bytes).digest('hex'),
  nodes: 1,
  externalData: null,
});
const manifest: SplitManifest = {
  ...SPLIT,
  tensors: ['x', 'mid', 'y'].map(value),
  head: part('head.onnx', head),
  tail: part('tail.onnx', tail),
};

const frameOf = (length: number, seed: number): TensorMap =>
  new Map([
    [
      'x',
      float32Tensor(
        [1, length],
        Float32Array.from({ length }, (_, index) => Math.sin(index * seed)),
      ),
    ],
  ]);

/** The smallest cloud there can be: answers each frame with the tail's outputs. */
async function serveTail(
  model: LoadedModel,
  identity: () => string | null = () => null,
): Promise<{ url: string; server: WebSocketServer }> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    perMessageDeflate: false,
    handleProtocols: () => SUBPROTOCOL,
  });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    const answer = async (data: Buffer): Promise<void> => {
      const message = decodeMessage(data);
      if (message.type === 'hello')
        socket.send(encodeMessage({ type: 'welcome', agent: 't', maxMessageBytes: 1 << 26 }));
      if (message.type === 'ping') socket.send(encodeMessage({ type: 'pong', nonce: message.nonce }));
      if (message.type === 'open') {
        const { inputs, outputs } = model;
        const named = identity();
        socket.send(
          encodeMessage({
            type: 'opened',
            session: message.session,
            credits: 4,
            inputs,
            outputs,
            resumeKey: 'k',
            resumeWindowMs: 0,
            known: [],
            ...(named === null ? {} : { identity: named }),
          }),
        );
      }
      if (message.type === 'frame') {
        const inputs = new Map(
          message.tensors.map(({ name, dtype, shape, bytes }) => [name, { dtype, shape, data: bytes }]),
        );
        const outputs = await model.run(inputs);
        const tensors = [...outputs].map(([name, { dtype, shape, data }]) => ({
          name,
          dtype,
          shape,
          codec: { kind: 'raw' as const },
          bytes: data,
        }));
        const spans = { queueMs: 0, decodeMs: 0, computeMs: 0, totalMs: 0, batchRows: 1 };
        socket.send(
          encodeMessage({ type: 'result', session: message.session, frame: message.frame, credits: 1, spans, tensors }),
        );
      }
    };
    socket.on('message', (data) => void answer(data as Buffer));
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

describe('a real session', () => {
  let folder = '';
  let backend: Backend;
  let reference: LoadedModel;
  let server: WebSocketServer;
  let url = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kerf-'));
    await writeFile(join(folder, 'head.onnx'), head);
    await writeFile(join(folder, 'tail.onnx'), tail);
    await writeFile(join(folder, 'split.json'), JSON.stringify(manifest));
    backend = await nodeBackend({ runtime: 'onnxruntime-node' });
    reference = await backend.load({ bytes: whole });
    ({ server, url } = await serveTail(await backend.load({ bytes: tail })));
  });
  afterAll(async () => {
    for (const client of server.clients) client.terminate();
    server.close();
    await backend.dispose();
    await rm(folder, { recursive: true });
  });

  it('gives what the whole model gives, bit for bit, many frames in flight', async () => {
    const opened = await openSplitFolder(folder, { backend });
    const session = await EdgeSession.open({
      ...opened,
      cloud: { model: 'm', connect: wsConnect({ url }), token: null },
    });
    expect(await session.waitForCloud(5000)).toEqual({ connected: true });
    const lengths = Array.from({ length: 40 }, (_, index) => 1 + index * 500);
    const outcomes = await Promise.all(lengths.map((length, seed) => session.infer(frameOf(length, seed))));
    for (const [seed, outcome] of outcomes.entries()) {
      const expected = (await reference.run(frameOf(lengths[seed]!, seed))).get('y')!;
      expect(outcome).toMatchObject({ kind: 'result', placement: 'split', fallbackReason: null });
      if (outcome.kind === 'result')
        expect(Buffer.from(outcome.outputs.get('y')!.data).equals(Buffer.from(expected.data))).toBe(true);
      const { totalMs, cloud, wayDown, ...parts } = outcome.spans;
      expect(Object.values(parts).reduce((sum, ms) => sum + ms, 0)).toBeCloseTo(totalMs, 6);
      expect(cloud).not.toBeNull();
      // This cloud does not say anything of its clock.
      expect(wayDown).toBeNull();
    }
    session.close();
    await opened.dispose();
  });

  it('goes on through broken connections: every frame is answered once, and right', async () => {
    const opened = await openSplitFolder(folder, { backend, withTail: true });
    const session = await EdgeSession.open({
      ...opened,
      cloud: { model: 'm', connect: wsConnect({ url }), token: null },
      options: { backoffBaseMs: 10, awayGraceMs: 50 },
    });
    const outcomes = [];
    for (let index = 0; index < 60; index++) {
      outcomes.push(session.infer(frameOf(1000, index)));
      if (index % 20 === 10) for (const client of server.clients) client.terminate();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const [index, outcome] of (await Promise.all(outcomes)).entries()) {
      const expected = (await reference.run(frameOf(1000, index))).get('y')!;
      expect(outcome).toMatchObject({ kind: 'result', frame: index });
      if (outcome.kind === 'result')
        expect(Buffer.from(outcome.outputs.get('y')!.data).equals(Buffer.from(expected.data))).toBe(true);
    }
    session.close();
    await opened.dispose();
  });

  it('refuses a folder whose files are not those of the split', async () => {
    const at = (file: string) => join(folder, file);
    const original = await readFile(at('head.onnx'));
    await writeFile(
      at('head.onnx'),
      original.map((byte, index) => (index === 40 ? byte ^ 1 : byte)),
    );
    await expect(openSplitFolder(folder, { backend })).rejects.toMatchObject({ code: 'PAIR_MISMATCH' });
    await writeFile(at('head.onnx'), original.subarray(1));
    await expect(openSplitFolder(folder, { backend })).rejects.toMatchObject({ code: 'PAIR_MISMATCH' });
    await rm(at('head.onnx'));
    await expect(openSplitFolder(folder, { backend })).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await writeFile(at('head.onnx'), original);
    await writeFile(at('split.json'), '{');
    await expect(openSplitFolder(folder, { backend })).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    await writeFile(at('split.json'), JSON.stringify(manifest));
    await (await openSplitFolder(folder, { backend })).dispose();
  });

  it.each([
    ['the station’s', true],
    ['another', false],
  ])('of a station whose whole model runs in the cloud wants %s model there', async (_, isOwn) => {
    const path = join(folder, 'whole.onnx');
    await writeFile(path, whole);
    const identity = createHash('sha256')
      .update(isOwn ? whole : tail)
      .digest('hex');
    const cloud = await serveTail(reference, () => identity);
    const config = parseStationConfig({
      format: 'kerf-station/1',
      station: 's',
      source: { kind: 'folder', path: 'in' },
      model: { path, resident: false },
      cloud: { url: cloud.url },
      task: { kind: 'anomaly' },
      sinks: [{ kind: 'json-lines', path: 'out.jsonl' }],
    });
    const opened = await openMainModel(config, { folder, backend, clock: systemClock, random: Math.random });
    const status = await new Promise<SessionStatus>((resolve) => {
      opened.onStatus((told) => (told.kind === 'connected' || told.kind === 'faulted') && resolve(told));
    });
    expect(status).toMatchObject(isOwn ? { kind: 'connected' } : { kind: 'faulted', code: 'PAIR_MISMATCH' });
    const outcome = await opened.main.inferer.infer(frameOf(4, 1), { deadlineMs: 5000 });
    expect(outcome).toMatchObject(isOwn ? { kind: 'result' } : { kind: 'failed', code: 'PAIR_MISMATCH' });
    await opened.close();
    for (const client of cloud.server.clients) client.terminate();
    cloud.server.close();
  });
});
