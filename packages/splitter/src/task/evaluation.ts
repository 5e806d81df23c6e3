// Answers of a model, one after the other -> everything that is reported of a task: metric, areas, verdicts, groups.
import { describeTensor, elementCount, float16Value, KerfError, type TensorMap, typedView } from '@kerf/protocol';
import { imageAuroc, imageAurocInterval, pixelAuroc, pixelAurocInterval, type Scored } from './auroc.ts';
import type { Interval } from './intervals.ts';
import {
  MASK_NAMES,
  type MetricOptions,
  metricFor,
  metricInterval,
  pick,
  SCORE_NAMES,
  type Tally,
  type TallyMetric,
  type TaskKind,
} from './metric-for.ts';
import { countPixels, largestProbability, type PixelCounts } from './pixel-counts.ts';
import type { Answered } from './task.ts';
import { type Thresholds, type VerdictRates, verdictOf, verdictRates } from './verdicts.ts';

export interface EvaluationOptions extends MetricOptions {
  readonly kind: TaskKind;
  /** Defects only: whether the labels have masks; without them the loss is measured on the outputs. */
  readonly hasMasks?: boolean;
  /** Defects only: the output that holds the score of a picture. @default one named `score`, else the mask's largest value */
  readonly score?: string | undefined;
  /** Defects only: null or left out, no verdicts. */
  readonly thresholds?: Thresholds | null;
}

/** A statistic with its 95 % interval. */
export interface Measured {
  readonly value: number;
  readonly interval: Interval;
}

/** Samples of one class or one kind of defect. */
export interface GroupReport {
  readonly name: string;
  readonly samples: number;
  /** Of the task's metric; null where it has nothing to measure in this group. */
  readonly points: number | null;
  /** A kind of defect against all good parts; null for good parts and other tasks. */
  readonly imageAuroc: number | null;
  /** Answers PASS, REVIEW and NG; null without thresholds. */
  readonly verdicts: { readonly pass: number; readonly review: number; readonly ng: number } | null;
}

export interface TaskReport {
  readonly kind: TaskKind;
  readonly samples: number;
  /** Null for defects without masks, and for samples without labels that are compared with nothing. */
  readonly metric: ({ readonly name: string; readonly points: number } & { readonly interval: Interval }) | null;
  /** 0 to 1. */
  readonly pixelAuroc: Measured | null;
  /** 0 to 1. */
  readonly imageAuroc: Measured | null;
  readonly verdicts: (Thresholds & VerdictRates) | null;
  /** In order of names, `good` first; one for each class or kind of defect. */
  readonly groups: readonly GroupReport[];
}

interface Kept {
  readonly group: string;
  readonly tally: Tally | null;
  readonly scored: Scored | null;
  readonly pixels: PixelCounts | null;
}

/** Keeps a few numbers of every answer, at most 32 KiB; the tensors may go. */
export class Evaluation {
  /** What a loss is measured in. */
  readonly metric: TallyMetric;
  private readonly options: EvaluationOptions;
  private readonly kept: Kept[] = [];

  /** @throws {KerfError} INVALID_ARGUMENT, for text without an alphabet say. */
  constructor(options: EvaluationOptions) {
    this.options = options;
    this.metric = lossMetric(options);
  }

  /**
   * @param reference outputs to measure a distance to; null where there are none
   * @throws {KerfError} INVALID_ARGUMENT where outputs and label do not fit.
   */
  add({ label, outputs }: Omit<Answered, 'reference'>, group: string, reference: TensorMap | null): void {
    const { kind } = this.options;
    const isCompared = !this.metric.needsReference || reference !== null;
    const tally = isCompared ? this.metric.tally({ label, outputs, reference: reference ?? new Map() }) : null;
    if (kind !== 'defect') {
      this.kept.push({ group, tally, scored: null, pixels: null });
      return;
    }
    if (label?.kind !== 'defect') throw new KerfError('INVALID_ARGUMENT', 'a sample without a label of a defect');
    const pixels = this.options.hasMasks
      ? countPixels(pick(outputs, this.options.output, MASK_NAMES), label.mask)
      : null;
    const scored = { score: this.scoreOf(outputs), isDefective: label.defect !== null };
    this.kept.push({ group, tally, scored, pixels });
  }

  /** Tallies in the order of adding; empty where nothing was compared. */
  get tallies(): Tally[] {
    return this.kept.flatMap(({ tally }) => (tally === null ? [] : [tally]));
  }

  /** @throws {KerfError} INVALID_ARGUMENT when nothing was added. */
  report(): TaskReport {
    const { kind, hasMasks = false, thresholds = null } = this.options;
    const { kept, metric, tallies } = this;
    const scored = kept.flatMap((one) => one.scored ?? []);
    const pixels = kept.flatMap((one) => one.pixels ?? []);
    const isMeasured = (kind !== 'defect' || hasMasks) && tallies.length > 0;
    const hasBoth = new Set(scored.map(({ isDefective }) => isDefective)).size === 2;
    return {
      kind,
      samples: kept.length,
      metric: isMeasured
        ? { name: metric.name, points: metric.pointsOf(tallies), interval: metricInterval(metric, tallies) }
        : null,
      pixelAuroc: pixels.length > 0 ? measured(pixelAuroc(pixels), () => pixelAurocInterval(pixels)) : null,
      imageAuroc: hasBoth ? measured(imageAuroc(scored), () => imageAurocInterval(scored)) : null,
      verdicts:
        scored.length > 0 && thresholds !== null ? { ...thresholds, ...verdictRates(scored, thresholds) } : null,
      groups: this.groups(isMeasured, thresholds),
    };
  }

  private groups(isMeasured: boolean, thresholds: Thresholds | null): GroupReport[] {
    const names = [...new Set(this.kept.map(({ group }) => group))].sort(goodFirst);
    if (names.length < 2) return [];
    const good = this.kept.flatMap(({ scored }) => (scored === null || scored.isDefective ? [] : [scored]));
    return names.map((name) => {
      const members = this.kept.filter(({ group }) => group === name);
      const scored = members.flatMap((one) => one.scored ?? []);
      const defective = scored.filter(({ isDefective }) => isDefective);
      const tallies = members.flatMap(({ tally }) => tally ?? []);
      const hasPoints = isMeasured && tallies.some(({ of }) => of > 0);
      return {
        name,
        samples: members.length,
        points: hasPoints && (scored.length === 0 || defective.length > 0) ? this.metric.pointsOf(tallies) : null,
        imageAuroc: defective.length > 0 && good.length > 0 ? imageAuroc([...defective, ...good]) : null,
        verdicts: scored.length > 0 && thresholds !== null ? verdictCounts(scored, thresholds) : null,
      };
    });
  }

  private scoreOf(outputs: TensorMap): number {
    const { score, output } = this.options;
    const name = score ?? SCORE_NAMES.find((candidate) => outputs.has(candidate));
    return name === undefined ? largestProbability(pick(outputs, output, MASK_NAMES)) : scalarOf(outputs, name);
  }
}

/** What a loss is measured in: the task's metric, or the distance of outputs where labels do not say enough. */
export function lossMetric(options: EvaluationOptions): TallyMetric {
  const { kind, hasMasks = false } = options;
  return metricFor(kind === 'defect' && !hasMasks ? 'none' : kind, options);
}

function measured(value: number, interval: () => Interval): Measured | null {
  return Number.isNaN(value) ? null : { value, interval: interval() };
}

function verdictCounts(scored: readonly Scored[], thresholds: Thresholds): GroupReport['verdicts'] {
  const verdicts = scored.map(({ score }) => verdictOf(score, thresholds));
  const count = (wanted: string): number => verdicts.filter((verdict) => verdict === wanted).length;
  return { pass: count('PASS'), review: count('REVIEW'), ng: count('NG') };
}

/** @throws {KerfError} INVALID_ARGUMENT for an output that is not one number. */
function scalarOf(outputs: TensorMap, name: string): number {
  const tensor = pick(outputs, name, []);
  if (elementCount(tensor.shape) !== 1 || tensor.dtype === 'string') {
    throw new KerfError('INVALID_ARGUMENT', `output '${name}' is ${describeTensor(tensor)}: a score is one number`);
  }
  const [value] = typedView(tensor);
  return tensor.dtype === 'float16' ? float16Value(Number(value)) : Number(value);
}

function goodFirst(left: string, right: string): number {
  if ((left === 'good') !== (right === 'good')) return left === 'good' ? -1 : 1;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
