// Coded activations as payloads, and answers coded without loss for the edges that say they take them.

import {
  type ActivationCodec,
  decodeActivation,
  encodeActivation,
  makeTensor,
  type Payload,
  type Tensor,
  typedView,
} from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import type { TestClient } from './support/client.ts';
import { client, opened, serveModels } from './support/cloud.ts';
import { floats, identityModel, temporaryFolder, writeModel } from './support/models.ts';

const relu = floats([64, 96], (index) => Math.max(0, Math.fround(Math.sin(index * 0.37) * 4 - 1)));

function coded(tensor: Tensor, codec: ActivationCodec): Payload {
  const { codec: used, bytes } = encodeActivation(tensor, codec);
  return { name: 'x', dtype: tensor.dtype, shape: tensor.shape, codec: used, bytes };
}

async function edgeOf(options: Parameters<typeof serveModels>[1] = {}): Promise<TestClient> {
  const dir = temporaryFolder();
  writeModel(dir, 'echo', identityModel());
  return opened(await serveModels(dir, options), 'echo');
}

const valuesOf = (tensor: Tensor): Float32Array => typedView(tensor as Tensor & { dtype: 'float32' });

describe('a coded payload', () => {
  it('is decoded in the worker: every bit where the codec keeps them, near where it does not', async () => {
    const edge = await edgeOf();
    const codecs: ActivationCodec[] = [
      { kind: 'lossless' },
      { kind: 'float16' },
      { kind: 'uint8', channelAxis: null },
      { kind: 'uint8', channelAxis: 1 },
    ];
    for (const [frame, codec] of codecs.entries()) {
      const payload = coded(relu, codec);
      expect(payload.codec.kind).toBe(codec.kind);
      expect(payload.bytes.byteLength).toBeLessThan(relu.data.byteLength);
      edge.frame(frame, [payload]);
      const [output] = (await edge.result(frame)).tensors;
      expect(output?.codec).toEqual({ kind: 'raw' });
      const decoded = valuesOf({ dtype: 'float32', shape: relu.shape, data: Uint8Array.from(output!.bytes) });
      const worst = valuesOf(relu).reduce((most, value, at) => Math.max(most, Math.abs(value - decoded[at]!)), 0);
      expect(worst, codec.kind).toBeLessThanOrEqual(codec.kind === 'lossless' ? 0 : 3 / 255);
    }
  });

  it('that is damaged, of another version, of an unknown table or too large is refused alone', async () => {
    const edge = await edgeOf({ wire: { maxDecodedBytes: 1_000_000 } });
    const good = coded(relu, { kind: 'lossless' });
    const uint8 = coded(relu, { kind: 'uint8', channelAxis: null });
    const bad: [Partial<Payload> & { bytes?: Uint8Array }, string][] = [
      [{ bytes: good.bytes.subarray(0, good.bytes.byteLength >> 1) }, 'MESSAGE_MALFORMED'],
      [{ bytes: good.bytes.map((byte, at) => (at === 0 ? 77 : byte)) }, 'MESSAGE_MALFORMED'],
      [{ ...uint8, shape: [64, 97] }, 'MESSAGE_MALFORMED'],
      [{ codec: { kind: 'lossless', version: 2 } }, 'CODEC_UNKNOWN'],
      [{ codec: { kind: 'levels', version: 1, table: 'ab'.repeat(32) } }, 'CODEC_UNKNOWN'],
    ];
    for (const [frame, [change]] of bad.entries()) edge.frame(frame, [{ ...good, ...change }]);
    for (const [frame, [, code]] of bad.entries()) {
      expect(await edge.answer(frame), `frame ${frame}`).toMatchObject({ type: 'fault', code });
    }
    edge.frame(50, [good]);
    await edge.result(50);
  });

  it('of a tensor beyond the limit ends the link before anything is allocated', async () => {
    const edge = await edgeOf({ wire: { maxDecodedBytes: 100_000 } });
    edge.frame(1, [{ ...coded(relu, { kind: 'lossless' }), shape: [25_001, 1] }]);
    await edge.closed();
    expect(edge.all('fault')).toMatchObject([{ code: 'MESSAGE_TOO_LARGE' }]);
  });
});

describe('an answer', () => {
  it('comes coded without loss to an edge that takes it, and raw where that would not pay', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'echo', identityModel());
    const cloud = await serveModels(dir);
    const edge = await client(cloud).hello();
    await edge.open('echo', { losslessVersion: 1 });
    const bytes32 = Uint8Array.from({ length: 64 * 96 * 4 }, (_, at) => (Math.imul(at + 1, 0x9e3779b1) >>> 13) & 0xff);
    const noise = makeTensor('float32', [64, 96], bytes32);
    for (const [frame, tensor] of [relu, noise].entries()) {
      edge.frame(frame, [{ name: 'x', ...tensor, codec: { kind: 'raw' }, bytes: tensor.data }]);
    }
    const [first] = (await edge.result(0)).tensors;
    if (first?.codec.kind !== 'lossless') throw new Error(`it came as ${first?.codec.kind}`);
    expect(first.bytes.byteLength).toBeLessThan(relu.data.byteLength * 0.9);
    const { codec, dtype, shape, bytes } = first;
    expect(decodeActivation({ codec, dtype, shape, bytes }, new Map(), 1 << 20).data).toEqual(relu.data);
    const [second] = (await edge.result(1)).tensors;
    expect(second).toMatchObject({ codec: { kind: 'raw' } });
    expect(Buffer.compare(second!.bytes, noise.data)).toBe(0);
  });

  it('comes raw for a frame that asks for that', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'echo', identityModel());
    const edge = await client(await serveModels(dir)).hello();
    await edge.open('echo', { losslessVersion: 1 });
    const x = { name: 'x', ...relu, codec: { kind: 'raw' as const }, bytes: relu.data };
    edge.frame(1, [x], { answer: 'raw' });
    edge.frame(2, [x]);
    expect((await edge.result(1)).tensors).toMatchObject([{ codec: { kind: 'raw' } }]);
    expect((await edge.result(2)).tensors).toMatchObject([{ codec: { kind: 'lossless' } }]);
  });

  it('comes raw to an edge of another version', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'echo', identityModel());
    const edge = await client(await serveModels(dir)).hello();
    await edge.open('echo', { losslessVersion: 99 });
    edge.frame(1, [coded(relu, { kind: 'lossless' })]);
    expect((await edge.result(1)).tensors).toMatchObject([{ codec: { kind: 'raw' } }]);
  });
});
