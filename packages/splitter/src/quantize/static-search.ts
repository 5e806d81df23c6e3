// A model, samples and a limit of loss -> which nodes run in int8 with which ranges, as measured.
import { describeNode, type ModelEdit, type ModelGraph } from '@kerf/onnx';
import { KerfError } from '@kerf/protocol';
import type { Range } from './affine.ts';
import { chooseRange, RANGE_METHODS, type RangeMethod } from './choose-range.ts';
import type { Histogram } from './histogram.ts';
import { type Int8Plan, planInt8 } from './int8-plan.ts';
import type { Judge, Judgement } from './judge.ts';
import { type Int8Reader, staticForm } from './static-form.ts';

export interface StaticSearchOptions {
  readonly graph: ModelGraph;
  /** TensorProto.DataType of a value; null when unknown. */
  readonly dtypeOf: (name: string) => number | null;
  /** Of the values of {@link valuesToObserve}. */
  readonly histograms: ReadonlyMap<string, Histogram>;
  readonly read: Int8Reader;
  readonly judge: Judge;
  /** `auto`: each in turn, and the one whose answers are closest. */
  readonly method: RangeMethod | 'auto';
  /** @see RangeOptions */
  readonly percentile?: number | undefined;
  /** Points of loss at most; null: whatever it costs. */
  readonly maxLossPoints: number | null;
  readonly onProgress?: (text: string) => void;
}

/** A node with weights and what it costs to have it in int8. */
export interface NodeSensitivity {
  readonly node: string;
  readonly op: string;
  /** Points of closeness that come back when this node alone stays in float32. */
  readonly gainPoints: number;
  readonly excluded: boolean;
}

export interface StaticResult {
  readonly edit: ModelEdit;
  readonly method: RangeMethod;
  readonly plan: Int8Plan;
  readonly judgement: Judgement;
  /** Largest gain first; empty where the limit held at once or there was none. */
  readonly sensitivities: readonly NodeSensitivity[];
  /** Nodes left out since a value of theirs was never seen, or was not finite. */
  readonly unseen: readonly string[];
  /** False where even without every node that helps the loss stays above the limit. */
  readonly holds: boolean;
}

/** Samples by which single nodes are judged: the ranking needs fewer than the loss. */
const RANKING_SAMPLES = 16;

/** Values that a static form may need the range of. */
export function valuesToObserve(graph: ModelGraph, dtypeOf: (name: string) => number | null): readonly string[] {
  return [...planInt8(graph, { dtypeOf }).values];
}

/** @throws {KerfError} MODEL_UNSUPPORTED when no node can run in int8. */
export async function searchStatic(options: StaticSearchOptions): Promise<StaticResult> {
  return await new StaticSearch(options).run();
}

class StaticSearch {
  readonly #options: StaticSearchOptions;
  readonly #unseen = new Set<number>();

  constructor(options: StaticSearchOptions) {
    this.#options = options;
  }

  async run(): Promise<StaticResult> {
    const { maxLossPoints, judge } = this.#options;
    this.#leaveOutUnseen();
    const method = await this.#chooseMethod();
    const excluded = new Set<number>();
    let trial = await this.#trial(method, excluded);
    let judgement = await judge.judge(trial.edit);
    // A model of which nothing is left in int8 has no loss, and no gain either.
    const holds = (): boolean =>
      trial.plan.nodes.length > 0 && (maxLossPoints === null || judgement.task.lossPoints <= maxLossPoints);
    let ranking: readonly Ranked[] = [];
    if (!holds()) {
      ranking = await this.#rank(method, trial.plan);
      for (const { index, gainPoints } of ranking) {
        if (holds() || gainPoints <= 0 || trial.plan.nodes.length === 0) break;
        excluded.add(index);
        trial = await this.#trial(method, excluded);
        judgement = await judge.judge(trial.edit);
        this.#options.onProgress?.(`${excluded.size} left out: loss ${judgement.task.lossPoints.toFixed(2)} points`);
      }
    }
    const sensitivities = ranking.map(({ index, gainPoints }) => ({
      ...this.#describe(index),
      gainPoints,
      excluded: excluded.has(index),
    }));
    const unseen = [...this.#unseen].map((index) => this.#describe(index).node);
    return { ...trial, method, judgement, sensitivities, unseen, holds: holds() };
  }

  /** A node whose values never came, or came as NaN or infinity, has no range to be quantised in. */
  #leaveOutUnseen(): void {
    const { graph, histograms } = this.#options;
    for (;;) {
      const plan = this.#plan(new Set());
      if (plan.nodes.length === 0) {
        throw new KerfError(
          'MODEL_UNSUPPORTED',
          'no node can run in int8: there is no Conv, Gemm or MatMul with constant weights of 2 KB or more, or none whose values are finite',
        );
      }
      const isSeen = (name: string): boolean => {
        const histogram = histograms.get(name);
        return histogram !== undefined && histogram.count > 0 && histogram.notFinite === 0;
      };
      const found = plan.nodes.filter(({ data, output }) => ![...data, output].every(isSeen));
      if (found.length === 0) return;
      for (const { node } of found) this.#unseen.add(graph.nodes[node.index]?.index ?? node.index);
    }
  }

  #plan(excluded: ReadonlySet<number>): Int8Plan {
    const { graph, dtypeOf } = this.#options;
    return planInt8(graph, { dtypeOf, excluded: new Set([...excluded, ...this.#unseen]) });
  }

  async #trial(method: RangeMethod, excluded: ReadonlySet<number>): Promise<{ plan: Int8Plan; edit: ModelEdit }> {
    const { graph, histograms, percentile, read } = this.#options;
    const plan = this.#plan(excluded);
    const ranges = new Map<string, Range>();
    for (const name of plan.values) {
      const histogram = histograms.get(name);
      if (histogram !== undefined) {
        ranges.set(name, chooseRange(histogram, { method, ...(percentile === undefined ? {} : { percentile }) }));
      }
    }
    const note = `static, ${method}, ${plan.nodes.length} nodes`;
    return { plan, edit: await staticForm(graph, { plan, ranges, read, note }) };
  }

  async #chooseMethod(): Promise<RangeMethod> {
    const { method, judge } = this.#options;
    if (method !== 'auto') return method;
    let best: RangeMethod = 'minmax';
    let most = Number.NEGATIVE_INFINITY;
    for (const candidate of RANGE_METHODS) {
      const { edit } = await this.#trial(candidate, new Set());
      const { closenessPoints } = await judge.judge(edit, RANKING_SAMPLES);
      this.#options.onProgress?.(`${candidate}: outputs ${(100 - closenessPoints).toFixed(2)} % apart`);
      if (closenessPoints <= most) continue;
      most = closenessPoints;
      best = candidate;
    }
    return best;
  }

  /** Each node with weights in turn left in float32: what comes back is what its quantisation costs. */
  async #rank(method: RangeMethod, plan: Int8Plan): Promise<readonly Ranked[]> {
    const { judge, onProgress } = this.#options;
    const base = await judge.judge((await this.#trial(method, new Set())).edit, RANKING_SAMPLES);
    const weighted = plan.nodes.filter(({ role }) => role === 'weights');
    const ranked: Ranked[] = [];
    for (const [at, { node }] of weighted.entries()) {
      onProgress?.(`sensitivity of node ${at + 1} of ${weighted.length}`);
      const { edit } = await this.#trial(method, new Set([node.index]));
      const { closenessPoints } = await judge.judge(edit, RANKING_SAMPLES);
      ranked.push({ index: node.index, gainPoints: closenessPoints - base.closenessPoints });
    }
    return ranked.sort((left, right) => right.gainPoints - left.gainPoints);
  }

  #describe(index: number): { node: string; op: string } {
    const record = this.#options.graph.nodes[index]?.record;
    return record === undefined ? { node: String(index), op: '' } : { node: describeNode(record), op: record.opType };
  }
}

interface Ranked {
  readonly index: number;
  readonly gainPoints: number;
}
