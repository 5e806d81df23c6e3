// Answers of a small and of a large model on the same samples -> what a cascade of both would say, send on and let escape.
import { type Judge, makeJudge } from '@kerf/edge-runtime';
import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import { type Backend, KerfError, type LoadOptions, type TensorMap } from '@kerf/protocol';
import { type Label, type PartVerdict, type Rate, rateOf, ratesOfVerdicts, type VerdictRates } from '@kerf/splitter';
import { type CommandLine, type OptionSpec, usageError } from '../command.ts';
import { notedThresholds, verdictThresholds } from './task-options.ts';

export const CASCADE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  cascade: {
    type: 'string',
    value: 'MODEL',
    help: 'ask this smaller model first; what it is not sure of goes to MODEL',
  },
  'sure-below': {
    type: 'string',
    value: 'S',
    help: 'with --cascade: it is sure of a score below this (default: its own PASS threshold)',
  },
  'sure-above': {
    type: 'string',
    value: 'S',
    help: 'with --cascade: and of one of this and above (default: its own NG threshold)',
  },
};

export interface CascadeReport {
  readonly small: { readonly file: string; readonly sha256: string };
  readonly sureBelow: number;
  readonly sureAbove: number;
  /** Parts that went on to the large model. */
  readonly escalated: Rate;
  readonly rates: VerdictRates;
  /** Of the large model alone, on the same parts. */
  readonly alone: VerdictRates;
  /** Defective parts that the cascade passes and the large model alone does not. */
  readonly escapesAdded: Rate;
  /** The other way round. */
  readonly escapesAvoided: Rate;
}

interface Answered {
  readonly isDefective: boolean;
  readonly isEscalated: boolean;
  readonly verdict: PartVerdict;
  readonly alone: PartVerdict;
}

export class Cascade {
  readonly #small: Judge;
  readonly #large: Judge;
  readonly #run: (inputs: TensorMap) => Promise<TensorMap>;
  readonly #file: ModelFile;
  readonly #band: { readonly sureBelow: number; readonly sureAbove: number };
  readonly #answers: Answered[] = [];
  readonly dispose: () => Promise<void>;

  private constructor(
    judges: { readonly small: Judge; readonly large: Judge },
    file: ModelFile,
    band: { readonly sureBelow: number; readonly sureAbove: number },
    loaded: { run(inputs: TensorMap): Promise<TensorMap>; dispose(): Promise<void> },
  ) {
    this.#small = judges.small;
    this.#large = judges.large;
    this.#file = file;
    this.#band = band;
    this.#run = (inputs) => loaded.run(inputs);
    this.dispose = () => loaded.dispose();
  }

  /** Null without --cascade. @throws {KerfError} INVALID_ARGUMENT, FILE_NOT_FOUND. */
  static async open(line: CommandLine, large: ModelFile, backend: Backend, load: LoadOptions): Promise<Cascade | null> {
    const path = line.text('cascade');
    if (path === undefined) {
      const stray = ['sure-below', 'sure-above'].find((name) => line.text(name) !== undefined);
      if (stray !== undefined) throw usageError(`--${stray} is for --cascade MODEL`);
      return null;
    }
    const thresholds = verdictThresholds(line, large);
    const file = await openModelFile(path);
    const own = notedThresholds(file);
    if (thresholds === null) throw usageError('--cascade judges parts: give --pass-below and --ng-above');
    if (own === null) throw usageError(`${path} notes no thresholds (kerf.pass_below, kerf.ng_above) to judge by`);
    const bound = (name: string, usual: number): number =>
      line.number(name, usual, { least: -Number.MAX_VALUE, most: Number.MAX_VALUE, whole: false });
    const band = { sureBelow: bound('sure-below', own.passBelow), sureAbove: bound('sure-above', own.ngAbove) };
    if (band.sureBelow > band.sureAbove) throw usageError('--sure-below must not be above --sure-above');
    const task = { kind: 'anomaly', score: line.text('score') ?? null, mask: line.text('output') ?? null } as const;
    const judges = { small: await makeJudge(task, own), large: await makeJudge(task, thresholds) };
    return new Cascade(judges, file, band, await backend.load({ path: file.path }, load));
  }

  /** @param outputs of the large model @throws {KerfError} INVALID_ARGUMENT for a label that is no defect's. */
  async add(label: Label | null, inputs: TensorMap, outputs: TensorMap): Promise<void> {
    if (label?.kind !== 'defect')
      throw new KerfError('INVALID_ARGUMENT', '--cascade needs samples of good and defective parts');
    const small = this.#small.judge(await this.#run(inputs), GEOMETRY);
    const alone = partVerdict(this.#large.judge(outputs, GEOMETRY));
    const { sureBelow, sureAbove } = this.#band;
    const isSure = small.score !== null && (small.score < sureBelow || small.score >= sureAbove);
    this.#answers.push({
      isDefective: label.defect !== null,
      isEscalated: !isSure,
      verdict: isSure ? partVerdict(small) : alone,
      alone,
    });
  }

  report(): CascadeReport {
    const answers = this.#answers;
    const defective = answers.filter(({ isDefective }) => isDefective);
    const count = (escapes: (answer: Answered) => boolean): Rate =>
      rateOf(defective.filter(escapes).length, defective.length);
    return {
      small: { file: this.#file.name, sha256: this.#file.sha256 },
      ...this.#band,
      escalated: rateOf(answers.filter(({ isEscalated }) => isEscalated).length, answers.length),
      rates: ratesOfVerdicts(answers),
      alone: ratesOfVerdicts(answers.map(({ isDefective, alone }) => ({ isDefective, verdict: alone }))),
      escapesAdded: count(({ verdict, alone }) => verdict === 'PASS' && alone !== 'PASS'),
      escapesAvoided: count(({ verdict, alone }) => verdict !== 'PASS' && alone === 'PASS'),
    };
  }
}

/** Only boxes are placed by it, and a cascade counts verdicts. */
const GEOMETRY = {
  taken: { width: 1, height: 1 },
  shown: { x: 0, y: 0, width: 1, height: 1 },
  input: { width: 1, height: 1 },
  area: { x: 0, y: 0, width: 1, height: 1 },
};

/** @throws {KerfError} what made the outputs impossible to judge. */
function partVerdict({ verdict, reason }: ReturnType<Judge['judge']>): PartVerdict {
  if (verdict === 'PASS' || verdict === 'REVIEW' || verdict === 'NG') return verdict;
  throw new KerfError(reason?.code ?? 'INTERNAL', reason?.message ?? 'the outputs cannot be judged');
}
