// Entry of the thread that fetches, decodes and checks a release, so that the line's thread stays free for parts.
import { webcrypto } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { Device } from '@kerf/delta-sync';
import { failedMessage } from '../failed-message.ts';
import { deviceOptions } from './device-folder.ts';
import type { StageMessage, StageRequest } from './stage-in-thread.ts';

// Node 18 in older Electrons has it in the main thread only, where the desktop's host adds it.
(globalThis as { crypto?: unknown }).crypto ??= webcrypto;

if (parentPort === null) throw new Error('stage-worker runs in a worker thread');
const port = parentPort;
const post = (message: StageMessage): void => port.postMessage(message);
const abort = new AbortController();
port.on('message', () => abort.abort());

async function stage({ folder, mirrors, version, allowOlder }: StageRequest): Promise<StageMessage> {
  const options = await deviceOptions(folder, mirrors, () => {}, {
    onBytes: (bytes) => post({ kind: 'bytes', bytes }),
    note: mirrors.join(', '),
  });
  const device = await Device.open(options);
  const candidate = await device.check({ version, allowOlder });
  const isThere = candidate !== null && (await device.staged())?.id === candidate.release.sha256;
  // Nobody has asked for it: what was checked once is not checked at every look.
  if (candidate === null || (isThere && version === null)) return { kind: 'done', staged: null, golden: null };
  const plan = await device.plan(candidate);
  const total = plan.reduce((sum, { fetchBytes }) => sum + fetchBytes, 0);
  post({ kind: 'begun', version: candidate.manifest.version, total });
  const golden = await device.stage(candidate, { signal: abort.signal });
  const { sha256: id, version: staged } = candidate.release;
  return { kind: 'done', staged: { id, version: staged }, golden };
}

void stage(workerData as StageRequest)
  .catch((error: unknown): StageMessage => failedMessage(error))
  .then((last) => {
    post(last);
    port.close();
  });
