// The thread that measures what the station's model costs on this device: a run blocks the thread that asks for it.
import { parentPort, workerData } from 'node:worker_threads';
import { nodeBackend } from '@kerf/edge-runtime/node';
import { openModelFile } from '@kerf/onnx/node';
import { systemClock } from '@kerf/protocol';
import { endWhenAsked } from '@kerf/protocol/node';
import { profileModel } from '@kerf/splitter';
import { fileHost } from '@kerf/splitter/node';
import { failedMessage } from '../../failed-message.ts';
import { deviceOf, versionsOf } from '../../profile/device.ts';
import { ortNodeEvents } from '../../profile/node-events.ts';
import { writeProfile } from '../../profile/profile-file.ts';
import type { FromMeasure, MeasureSetup } from './cut-messages.ts';
import { openSizes } from './open-sizes.ts';

/** Of the budget, for timing single nodes. */
const NODES_SHARE = 0.1;

// The listener alone keeps nothing alive: the thread ends when it is done.
if (parentPort !== null) {
  endWhenAsked(parentPort);
  parentPort.unref();
}

const say = (message: FromMeasure): void => parentPort?.postMessage(message);

async function measure({ modelPath, target, provider, threads, picture, budgetMs }: MeasureSetup): Promise<void> {
  const model = await openModelFile(modelPath);
  const { graph } = model;
  const backend = await nodeBackend({
    runtime: 'onnxruntime-node',
    executionProvider: provider,
    inThisThread: true,
  });
  try {
    const profile = await profileModel({
      graph,
      model: { file: model.name, sha256: model.sha256 },
      backend,
      host: fileHost(model),
      device: deviceOf(),
      provider,
      threads,
      versions: versionsOf('onnxruntime-node'),
      dims: openSizes(graph, picture),
      clock: systemClock,
      date: new Date().toISOString(),
      budgetMs,
      nodeEvents:
        provider === 'cpu' ? ortNodeEvents({ graph, provider, threads, budgetMs: budgetMs * NODES_SHARE }) : null,
    });
    await writeProfile(target, profile);
  } finally {
    await backend.dispose();
  }
}

measure(workerData as MeasureSetup).then(
  () => say({ kind: 'done' }),
  (error: unknown) => say(failedMessage(error)),
);
