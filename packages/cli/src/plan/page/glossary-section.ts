// A plan's report -> what its words mean, and how its numbers were made.
import { formatMs } from '../../page/format.ts';
import { type Html, html } from '../../page/html.ts';
import type { PlanDevice, PlannedReport } from '../report.ts';
import { constraintName } from './change-section.ts';
import { bytesText, count, fact, linkText, section } from './words.ts';

const WORDS: readonly (readonly [string, string])[] = [
  ['edge', 'The device beside the machine, where the frames are made.'],
  ['cloud', 'The server that can run the rest of the model.'],
  ['frame', 'One input to the model, such as one picture.'],
  ['node', 'One step of the model, such as a convolution.'],
  [
    'cut',
    'A set of tensors that divides the model: everything before them runs on the edge, everything behind them in the cloud.',
  ],
  ['head, tail', 'The two parts of a model that was cut: the head runs on the edge, the tail in the cloud.'],
  ['tensor', 'The numbers that one node gives to the next. At a cut they cross the link.'],
  ['uplink', 'How fast the link carries data from the edge to the cloud.'],
  ['round trip', 'How long the shortest message takes to the cloud and back; more bandwidth does not make it shorter.'],
  [
    'codec',
    'How a tensor or picture is written for the link. Raw: as it is. Lossless: smaller, and every bit comes back. Others lose accuracy.',
  ],
  [
    'loss',
    'How many points of the task, such as accuracy in percent, a codec costs. Calibration measures it on samples.',
  ],
  ['bit per value', 'How much one number of a tensor takes on the link. Raw, most take 32 bits.'],
  ['p99', 'The 99th percentile: 99 of 100 frames are faster.'],
  ['fusion', 'Steps that the runtime joins into one for speed. A cut between them undoes that.'],
  ['logarithmic', 'An axis on which each equal distance is the same factor, not the same amount.'],
];

export function glossarySection(): Html {
  return section(
    { id: 'words', title: 'How to read this page', note: 'The words it uses.' },
    html`<dl class="words">${WORDS.map(([word, meaning]) => fact(word, meaning))}</dl>`,
  );
}

export function methodSection(report: PlannedReport): Html {
  const { model, inputShapes, versions } = report;
  const shapes = Object.entries(inputShapes).map(([name, shape]) => `${name} [${shape.join(', ')}]`);
  const facts = [
    fact(
      'Model',
      html`${model.file}, ${bytesText(model.bytes)}, ${count(model.nodes, 'node')}<br><code>sha256 ${model.sha256}</code>`,
    ),
    fact('Inputs', shapes.length === 0 ? 'sizes as in the model' : shapes.join('; ')),
    fact('Edge', deviceText(report.edge)),
    fact('Cloud', deviceText(report.cloud)),
    fact(
      'Link',
      html`${linkText(report)}${report.link.jitterMs > 0 ? `, ${formatMs(report.link.jitterMs)} ms jitter` : ''}${report.link.frameIntervalMs === undefined ? '' : `, a frame every ${formatMs(report.link.frameIntervalMs)} ms`}; ${report.link.date === null ? 'stated, not measured' : html`measured ${time(report.link.date)}`}`,
    ),
    fact(
      'Goal',
      report.goal === 'latency' ? 'the least time a frame' : 'the most frames a second, with frames in flight',
    ),
    fact('Constraints', constraintText(report)),
    fact('Looked at', `${count(report.candidates, 'placement')}, ${count(report.cuts.length, 'cut')} among them`),
    fact(
      'Made',
      html`${time(report.date)} with ${Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', ')}`,
    ),
  ];
  return section(
    { id: 'method', title: 'How the numbers were made', note: '' },
    html`${sources(report).map((sentence) => html`<p>${sentence}</p>`)}<dl class="facts wide">${facts}</dl>`,
  );
}

function time(iso: string): Html {
  return html`<time datetime="${iso}">${iso.replace('T', ' ').replace(/(:\d\d)(\.\d+)?Z$/, '$1 UTC')}</time>`;
}

function deviceText({ name, processor, provider, date, wholeMs }: PlanDevice): Html {
  const whole =
    wholeMs === null
      ? 'the whole model did not run here: costs were given by hand'
      : `the whole model takes ${formatMs(wholeMs)} ms`;
  return html`${name}, ${processor}, provider ${provider}; ${whole}; profile of ${time(date)}`;
}

/** Where the times come from, in sentences. */
function sources(report: PlannedReport): string[] {
  const { choice, gapMs, measurement, unpriced } = report;
  const how = (side: 'edge' | 'cloud'): string =>
    ({
      measured: `measured as a session on the ${side}`,
      nodes: `calculated from times of single nodes on the ${side}, stretched to fit the sessions that were measured`,
      none: '',
    })[choice.source[side]];
  const own = [how('edge'), how('cloud')].filter((text) => text !== '').join(', and ');
  const sentences = [
    `Times of computing come from the profiles of the two devices; time on the link is bytes over bandwidth plus one round trip. For the choice they were ${own}.`,
  ];
  sentences.push(
    measurement === null
      ? 'No placement was run from end to end: what you see is predicted.'
      : `${measurement.how} The predictions were corrected by ${Number(measurement.correction.toFixed(3))}, the median of measured over predicted.${measurement.insteadOf === null ? '' : ` Before measuring, the choice was ${measurement.insteadOf}.`}`,
  );
  if (unpriced.edge + unpriced.cloud > 0) {
    sentences.push(
      `The profiles do not know ${count(unpriced.edge, 'node')} on the edge and ${count(unpriced.cloud, 'node')} in the cloud: these count as free.`,
    );
  }
  sentences.push(
    gapMs === 0
      ? 'On these figures the choice is proven to be the best.'
      : `On these figures nothing can be better than the choice by more than ${formatMs(gapMs)} ms.`,
  );
  return sentences;
}

function constraintText({ constraints }: PlannedReport): string {
  const { keepOnEdge, noRawInput, maxEdgeWeightsBytes, deadlineMs, maxLoss } = constraints;
  const texts = [
    keepOnEdge === undefined ? '' : `${keepOnEdge.join(', ')} stays on the edge`,
    noRawInput === true ? 'no raw input leaves the edge' : '',
    maxEdgeWeightsBytes === undefined ? '' : `at most ${bytesText(maxEdgeWeightsBytes)} of weights on the edge`,
    deadlineMs === undefined ? '' : `p99 at most ${formatMs(deadlineMs)} ms`,
    maxLoss === undefined ? '' : `at most ${maxLoss} points of loss`,
  ].filter((text) => text !== '');
  return texts.length === 0 ? 'none' : texts.join('; ');
}

/** For a page about constraints that nothing keeps. */
export function conflictText(names: Parameters<typeof constraintName>[0][]): string {
  return names.map(constraintName).join(' and ');
}
