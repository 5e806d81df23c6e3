// Samples and a loaded split -> what calibration asks of them. Heads run once; what does not fit in memory runs again.
import { elementCount, type TensorMap, type TensorSpec } from '@kerf/protocol';
import {
  type CutSamples,
  type Label,
  type LoadedSplit,
  runHead,
  runTail,
  type SplitFront,
  type TallyMetric,
} from '@kerf/splitter';
import type { PictureOptions } from '../frame-input.ts';
import { checkInterrupted } from '../interruption.ts';
import { loadSample } from '../samples/load-sample.ts';
import type { SampleSet } from '../samples/sample-set.ts';

/** Activations, inputs that are outputs too, and labels that are kept, however little memory there is. */
const LEAST_KEPT_BYTES = 768 * 2 ** 20;
/** Of the memory that nobody uses. */
const KEPT_SHARE = 0.4;

export interface AnswerOptions {
  readonly split: LoadedSplit;
  readonly metric: TallyMetric;
  readonly specs: readonly TensorSpec[];
  readonly pictures: PictureOptions;
  readonly signal: AbortSignal;
  /** Called before each run of the tail. */
  onRun(): void;
}

interface Known {
  readonly front: SplitFront;
  readonly label: Label | null;
}

/** Bytes that all sets of one calibration keep together. */
export class KeptBytes {
  #left = Math.max(LEAST_KEPT_BYTES, KEPT_SHARE * process.availableMemory());

  /** @returns false where it would be too much. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }
}

export function cutAnswers(set: SampleSet, options: AnswerOptions, budget: KeptBytes): CutSamples {
  const { split, metric, specs, pictures, signal } = options;
  const kept = new Map<number, Known>();
  const references = new Map<number, TensorMap>();

  const known = async (index: number): Promise<Known> => {
    const found = kept.get(index);
    if (found !== undefined) return found;
    await checkInterrupted(signal, 'the calibration');
    const entry = set.entries[index];
    if (entry === undefined) throw new RangeError(`there is no sample ${index}`);
    const { inputs, label } = await loadSample(set, entry, { specs, pictures });
    const front = await runHead(split, inputs);
    // Of the inputs, only those matter from here on that the model hands on as outputs.
    const made = only(front.made, split.names.modelOutputs);
    const fresh = { front: { inputs: only(inputs, split.names.modelOutputs), made, crossing: front.crossing }, label };
    if (budget.take(bytesOf(fresh.front.inputs) + bytesOf(made) + bytesOf(front.crossing) + maskBytes(label))) {
      kept.set(index, fresh);
    }
    return fresh;
  };

  const answer = async (index: number, arrived: TensorMap): Promise<TensorMap> => {
    const { front } = await known(index);
    await checkInterrupted(signal, 'the calibration');
    options.onRun();
    return await runTail(split, front, arrived);
  };

  const referenceOf = async (index: number): Promise<TensorMap> => {
    if (!metric.needsReference) return new Map();
    const found = references.get(index);
    if (found !== undefined) return found;
    const fresh = await answer(index, (await known(index)).front.crossing);
    if (budget.take(bytesOf(fresh))) references.set(index, fresh);
    return fresh;
  };

  return {
    count: set.entries.length,
    metric,
    crossing: async (index) => (await known(index)).front.crossing,
    answer,
    tally: async (index, outputs) => {
      const reference = await referenceOf(index);
      return metric.tally({ label: (await known(index)).label, outputs, reference });
    },
  };
}

function only(tensors: TensorMap, names: readonly string[]): TensorMap {
  return new Map([...tensors].filter(([name]) => names.includes(name)));
}

function bytesOf(tensors: TensorMap): number {
  return [...tensors.values()].reduce((sum, { data, shape }) => sum + data.byteLength + 8 * shape.length, 0);
}

function maskBytes(label: Label | null): number {
  return label?.kind === 'defect' && label.mask !== null ? elementCount([label.mask.width, label.mask.height]) : 0;
}
