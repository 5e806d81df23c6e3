// The page of a real session: the head of the PP-OCR classifier in a module worker, its tail in the cloud.
import { EdgeSession } from '@kerf/edge-runtime';
import { browserBackend, browserConnect, openSplitUrl } from '@kerf/edge-runtime/browser';
import { typedView } from '@kerf/protocol';
import { classifierInput } from './classifier-input.ts';

export interface Job {
  readonly url: string;
  readonly token: string;
  readonly model: string;
  readonly frames: number;
  /** Loads the tail too, for the time without a cloud. */
  readonly withTail: boolean;
}

const page = {
  async run({ url, token, model, frames, withTail }: Job) {
    const createWorker = (): Worker => new Worker('./worker.js', { type: 'module' });
    const { backend, provider } = await browserBackend({ prefer: 'wasm', wasmFolder: 'ort', createWorker });
    const opened = await openSplitUrl('split', { backend, withTail });
    const cloud = { model, connect: browserConnect({ url }), token };
    const session = await EdgeSession.open({ ...opened, cloud, options: { deadlineMs: 60_000 } });
    const state = await session.waitForCloud(30_000);
    const answers = new Map<number, number>();
    const outcomes = await Promise.all(
      Array.from({ length: frames }, async (_, index) => {
        const outcome = await session.infer(new Map([['x', classifierInput(index)]]));
        answers.set(outcome.frame, (answers.get(outcome.frame) ?? 0) + 1);
        return outcome;
      }),
    );
    const { unfinishedFrames } = session.snapshot;
    session.close();
    await opened.dispose();
    await backend.dispose();
    return {
      provider,
      state,
      unfinishedFrames,
      answers: [...answers],
      outcomes: outcomes.map((outcome) =>
        outcome.kind === 'failed'
          ? { kind: outcome.kind, code: outcome.code, message: outcome.message }
          : {
              kind: outcome.kind,
              placement: outcome.placement,
              fallbackReason: outcome.fallbackReason,
              bytesUp: outcome.bytesUp,
              outputs: [...outcome.outputs].map(([name, tensor]) => ({
                name,
                shape: [...tensor.shape],
                values: [...(typedView(tensor) as Float32Array)],
              })),
            },
      ),
    };
  },
};

export type ClassifierPage = typeof page;
Object.assign(globalThis, { page });
