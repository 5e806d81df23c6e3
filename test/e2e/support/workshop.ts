// A temporary folder with models, keys and a cloud in a process of its own.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CloudProcess, startCloudProcess } from '@kerf/cli';
import { issueToken } from '@kerf/cloud-runtime';
import type { EdgeSessionConfig } from '@kerf/edge-runtime';
import { wsConnect } from '@kerf/edge-runtime/node';
import { openModelFile } from '@kerf/onnx/node';
import { ortBackend } from '@kerf/protocol';
import { writeSplit } from '@kerf/splitter/node';
import * as ort from 'onnxruntime-node';

/** In this thread: what everything else is compared with. */
export const reference = ortBackend({ name: 'onnxruntime-node/cpu', ort, executionProviders: ['cpu'] });

export interface Workshop {
  readonly folder: string;
  readonly models: string;
  readonly state: string;
  /** Splits a model file (or bytes, written beside the models first) into the models folder as `id`. */
  split(model: string | Uint8Array, at: readonly string[], id: string): Promise<void>;
  /** Starts `kerf serve`; port 0 takes a free one. Clouds that still run at the end are stopped. */
  serve(port: number, ...args: string[]): Promise<CloudProcess>;
  token(claims?: { models?: readonly string[]; expiresInSeconds?: number }): Promise<string>;
  /** The cloud as an edge names it, at `port` of this machine. */
  target(model: string, port: number): Promise<NonNullable<EdgeSessionConfig['cloud']>>;
  remove(): Promise<void>;
}

export async function openWorkshop(): Promise<Workshop> {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-e2e-'));
  const models = join(folder, 'models');
  const state = join(folder, 'state');
  await mkdir(models);
  const clouds: CloudProcess[] = [];
  const token: Workshop['token'] = async ({ models: scope = ['*'], expiresInSeconds = 3600 } = {}) =>
    issueToken({
      privateKeyPem: await readFile(join(state, 'token-private.pem'), 'utf8'),
      subject: 'test',
      models: scope,
      expiresInSeconds,
    });
  return {
    folder,
    models,
    state,
    token,
    async split(model, at, id) {
      const path = typeof model === 'string' ? model : join(folder, `${id.replaceAll('/', '-')}.onnx`);
      if (typeof model !== 'string') await writeFile(path, model);
      const target = join(models, ...id.split('/'));
      await writeSplit({ model: await openModelFile(path), cut: at, folder: target, backend: reference });
    },
    async serve(port, ...args) {
      const cloud = await startCloudProcess(['--models', models, '--state', state, '--port', String(port), ...args]);
      clouds.push(cloud);
      return cloud;
    },
    async target(model, port) {
      const ca = await readFile(join(state, 'dev-cert.pem'), 'utf8');
      return { model, connect: wsConnect({ url: `wss://127.0.0.1:${port}`, ca }), token };
    },
    async remove() {
      await Promise.all(clouds.map((cloud) => cloud.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Looks every 20 ms until `happened`; the test's own time limit ends a wait in vain earlier. */
export async function until(happened: () => boolean, what: string, patienceMs = 30_000): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!happened()) {
    if (performance.now() > endMs) throw new Error(`${what}: not within ${patienceMs} ms`);
    await pause(20);
  }
}
