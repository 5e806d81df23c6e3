// A question about a release -> its answer, by running the release's model. Called in the trial's process.
import { join } from 'node:path';
import { checkGolden } from '@kerf/delta-sync';
import { folderDisk } from '@kerf/delta-sync/node';
import { nodeBackend, openPartJudge, type PartJudge } from '@kerf/edge-runtime/node';
import { KerfError } from '@kerf/protocol';
import type { GoldenQuestion, TrialAnswers, TrialQuestion } from './messages.ts';

export class TrialWork {
  readonly #onAlive: () => void;
  #judge: PartJudge | null = null;

  /** @param onAlive called when a part of a long answer is done */
  constructor(onAlive: () => void) {
    this.#onAlive = onAlive;
  }

  /** @throws {KerfError} what {@link checkGolden} and {@link openPartJudge} throw. */
  async answer(question: TrialQuestion): Promise<TrialAnswers[TrialQuestion['kind']]> {
    if (question.kind === 'golden') return await this.#golden(question);
    if (question.kind === 'open') {
      await this.close();
      this.#judge = await openPartJudge(question.file);
      return this.#judge.release;
    }
    if (this.#judge === null) throw new KerfError('INTERNAL', 'a part was to be judged before a release was opened');
    return await this.#judge.judge(question.picture);
  }

  async close(): Promise<void> {
    const judge = this.#judge;
    this.#judge = null;
    await judge?.close();
  }

  async #golden({ folder, manifest }: GoldenQuestion): Promise<TrialAnswers['golden']> {
    const backend = await nodeBackend({ runtime: 'onnxruntime-node' });
    try {
      return await checkGolden({
        slot: await folderDisk(folder),
        manifest,
        backend,
        open: ({ name }) => Promise.resolve({ path: join(folder, name) }),
        onSample: this.#onAlive,
      });
    } finally {
      await backend.dispose();
    }
  }
}
