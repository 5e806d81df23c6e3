// Edits of a model and samples -> how far each edit's answers are from the whole model's, in points of the task.
import { editModel, extract, type ModelEdit, type ModelGraph } from '@kerf/onnx';
import { type Backend, KerfError, type LoadedModel, type TensorMap } from '@kerf/protocol';
import { type ModelHost, TRANSIENT_DATA_FILE } from '../model-host.ts';
import { metricFor, type PairedLoss, pairedLoss, type Tally, type TallyMetric } from '../task/metric-for.ts';
import type { Label } from '../task/task.ts';

export interface JudgedSample {
  readonly inputs: TensorMap;
  readonly label: Label | null;
}

export interface Judgement {
  /** In points of the task's metric; without labels, of closeness. */
  readonly task: PairedLoss;
  /** 100 less the mean relative distance of all outputs in percent: finer than any task. */
  readonly closenessPoints: number;
}

export interface JudgeOptions {
  readonly graph: ModelGraph;
  readonly host: ModelHost;
  readonly backend: Backend;
  readonly metric: TallyMetric;
  readonly samples: readonly JudgedSample[];
  /** Called between two runs of a model; throws to stop. */
  readonly check?: () => Promise<void>;
}

/** Holds the whole model's answers to all samples. */
export class Judge {
  readonly #options: JudgeOptions;
  readonly #closeness = metricFor('none');
  readonly #references: TensorMap[] = [];

  /** @throws {KerfError} SAMPLES_UNUSABLE without samples. */
  constructor(options: JudgeOptions) {
    if (options.samples.length === 0) throw new KerfError('SAMPLES_UNUSABLE', 'there is no sample to judge by');
    this.#options = options;
  }

  /** @param count the first so many samples only. */
  async judge(edit: ModelEdit, count = this.#options.samples.length): Promise<Judgement> {
    const { graph, host, backend, metric } = this.#options;
    await this.#answerWhole(count);
    const edited = editModel(graph, { ...edit, externalFile: TRANSIENT_DATA_FILE });
    const tallies = { whole: [] as Tally[], edited: [] as Tally[], close: [] as Tally[] };
    await host.withSource(edited, async (source) => {
      const model = await backend.load(source);
      try {
        await this.#each(model, count, (index, outputs) => {
          const label = this.#options.samples[index]?.label ?? null;
          const reference = this.#references[index] as TensorMap;
          tallies.whole.push(metric.tally({ label, outputs: reference, reference }));
          tallies.edited.push(metric.tally({ label, outputs, reference }));
          tallies.close.push(this.#closeness.tally({ label, outputs, reference }));
        });
      } finally {
        await model.dispose();
      }
    });
    return {
      task: pairedLoss(metric, tallies.whole, tallies.edited),
      closenessPoints: this.#closeness.pointsOf(tallies.close),
    };
  }

  async #answerWhole(count: number): Promise<void> {
    if (this.#references.length >= count) return;
    const { graph, host, backend, samples } = this.#options;
    const outputs = graph.outputs;
    const whole = extract(graph, { inputs: graph.inputs, outputs, externalFile: TRANSIENT_DATA_FILE });
    this.#references.length = 0;
    await host.withSource(whole, async (source) => {
      const model = await backend.load(source);
      try {
        await this.#each(model, samples.length, (_, answer) => void this.#references.push(answer));
      } finally {
        await model.dispose();
      }
    });
  }

  async #each(model: LoadedModel, count: number, see: (index: number, outputs: TensorMap) => void): Promise<void> {
    for (const [index, { inputs }] of this.#options.samples.slice(0, count).entries()) {
      await this.#options.check?.();
      see(index, await model.run(inputs));
    }
  }
}
