// What the training noted and what `kerf evaluate` measured of a model -> its card, in Markdown.

export interface Interval {
  readonly low: number;
  readonly high: number;
}

interface Rate {
  readonly count: number;
  readonly of: number;
  readonly share: number | null;
  readonly interval: Interval;
}

/** The parts of `kerf evaluate --json` that a card shows. */
export interface Evaluation {
  readonly model: { readonly file: string; readonly sha256: string };
  readonly task: {
    readonly samples: number;
    readonly metric: { readonly name: string; readonly points: number; readonly interval: Interval } | null;
    readonly pixelAuroc: { readonly value: number; readonly interval: Interval } | null;
    readonly imageAuroc: { readonly value: number; readonly interval: Interval } | null;
    readonly verdicts: {
      readonly passBelow: number;
      readonly ngAbove: number;
      readonly escape: Rate;
      readonly overkill: Rate;
      readonly review: Rate;
    } | null;
    readonly groups: readonly {
      readonly name: string;
      readonly samples: number;
      readonly points: number | null;
      readonly imageAuroc: number | null;
      readonly verdicts: { readonly pass: number; readonly review: number; readonly ng: number } | null;
    }[];
  };
  readonly against: { readonly lossPoints: number; readonly lossInterval: Interval } | null;
}

/** What `train.py` writes beside a model. */
export interface Training {
  readonly seed: number;
  readonly pictures?: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

export interface CardFacts {
  readonly name: string;
  readonly bytes: number;
  readonly about: CardText;
  /** Null for a form that was made from another model. */
  readonly training: Training | null;
  /** Held-out sets by what they are. */
  readonly evaluations: readonly { readonly on: string; readonly result: Evaluation }[];
}

/** What no measurement says. */
export interface CardText {
  readonly summary: string;
  readonly data: string;
  readonly network: string;
  readonly interface: string;
  readonly use: string;
}

export function cardText({ name, bytes, about, training, evaluations }: CardFacts): string {
  const [first] = evaluations;
  const made =
    training === null
      ? []
      : [
          `Seed ${training.seed}${training.pictures === undefined ? '' : `, ${training.pictures} pictures`}; ` +
            `${minutes(training.cpuSeconds)} minutes of one core (${minutes(training.wallSeconds)} by the clock).`,
        ];
  return `${[
    `# ${name}`,
    about.summary,
    `| | |\n|---|---|\n| file | ${name}.onnx, ${bytes} bytes |\n| SHA-256 | \`${first?.result.model.sha256 ?? ''}\` |\n| licence | Apache-2.0 |`,
    `## Interface\n\n${about.interface}`,
    `## Data and training\n\n${[about.data, ...made].join(' ')}`,
    `## Network\n\n${about.network}`,
    ...evaluations.map(({ on, result }) => resultText(on, result)),
    `## Use and limits\n\n${about.use}`,
    'Made by `npm run cards -w @kerf/models`, not by hand.',
  ].join('\n\n')}\n`;
}

function resultText(on: string, { task, against }: Evaluation): string {
  const { metric, pixelAuroc, imageAuroc, verdicts, groups } = task;
  const rows = [
    ...(metric === null ? [] : [`| ${metric.name} | ${metric.points.toFixed(2)} | ${range(metric.interval, 2)} |`]),
    ...(pixelAuroc === null
      ? []
      : [`| pixel AUROC | ${pixelAuroc.value.toFixed(4)} | ${range(pixelAuroc.interval, 4)} |`]),
    ...(imageAuroc === null
      ? []
      : [`| image AUROC | ${imageAuroc.value.toFixed(4)} | ${range(imageAuroc.interval, 4)} |`]),
    ...(against === null
      ? []
      : [`| points lost against surface-v1 | ${against.lossPoints.toFixed(2)} | ${range(against.lossInterval, 2)} |`]),
    ...(verdicts === null
      ? []
      : [
          rateRow('escape rate', verdicts.escape),
          rateRow('overkill rate', verdicts.overkill),
          rateRow('review load', verdicts.review),
        ]),
  ];
  const bounds =
    verdicts === null
      ? []
      : [
          `Thresholds: PASS below ${verdicts.passBelow}, NG from ${verdicts.ngAbove}, REVIEW between, from the calibration set.`,
        ];
  return [
    `## Results on ${on}`,
    `${task.samples} samples that no training and no threshold saw.`,
    `| | | 95 % |\n|---|--:|---|\n${rows.join('\n')}`,
    ...bounds,
    ...(groups.length === 0 ? [] : [groupText(groups)]),
  ].join('\n\n');
}

function groupText(groups: Evaluation['task']['groups']): string {
  const hasVerdicts = groups.some(({ verdicts }) => verdicts !== null);
  const head = hasVerdicts
    ? '| kind | samples | points | image AUROC | PASS | REVIEW | NG |\n|---|--:|--:|--:|--:|--:|--:|'
    : '| class | samples | points |\n|---|--:|--:|';
  const rows = groups.map(({ name, samples, points, imageAuroc, verdicts }) => {
    const cells = [name, samples, points?.toFixed(1) ?? ''];
    if (hasVerdicts)
      cells.push(imageAuroc?.toFixed(3) ?? '', verdicts?.pass ?? '', verdicts?.review ?? '', verdicts?.ng ?? '');
    return `| ${cells.join(' | ')} |`;
  });
  return `${head}\n${rows.join('\n')}`;
}

function rateRow(name: string, { count, of, share, interval }: Rate): string {
  const percent = (value: number): string => (100 * value).toFixed(1);
  const value = share === null ? 'none' : `${percent(share)} % (${count} of ${of})`;
  return `| ${name} | ${value} | ${percent(interval.low)} to ${percent(interval.high)} % |`;
}

function range({ low, high }: Interval, digits: number): string {
  return `${low.toFixed(digits)} to ${high.toFixed(digits)}`;
}

function minutes(seconds: number): string {
  return (seconds / 60).toFixed(1);
}
