// Rows of a plan -> the verdict and its reasons in sentences for somebody who has never seen the tool.
import type { ConstraintName, Goal, PlanConstraints } from '@kerf/splitter';
import { formatMs, formatTimes } from '../page/format.ts';
import { formatBytes } from '../units.ts';
import type { PlannedReport, PlanRow, UnsatisfiableReport } from './report.ts';
import { msAt } from './rows.ts';

type Decision = Pick<PlannedReport, 'goal' | 'choice' | 'bestOf'>;

/** `72 ms a frame`, `13.9 frames/s`. */
export function speed(row: PlanRow, goal: Goal): string {
  if (goal === 'latency') return `${formatMs(row.latencyMs)} ms a frame`;
  return Number.isFinite(row.framesPerSecond) ? `${formatMs(row.framesPerSecond)} frames/s` : 'no time a frame';
}

/** One sentence or two: what to do and what it gains. */
export function verdictOf({ goal, choice, bestOf }: Decision): string {
  const { edge, cloud, split } = bestOf;
  const short = (row: PlanRow): string => (goal === 'latency' ? `${formatMs(row.latencyMs)} ms` : speed(row, goal));
  if (choice.placement === 'split') {
    const against = [gain(choice, edge, 'the edge alone', goal), gain(choice, cloud, 'the cloud alone', goal)];
    const gains = against.filter((text) => text !== null);
    const sent = choice.codec === 'raw' ? '' : `, sent as ${choice.codec}`;
    return `Split at ${nameOf(choice)}${sent}: ${speed(choice, goal)}${gains.length === 0 ? '' : `, ${gains.join(' and ')}`}.`;
  }
  const rivals = [
    ...(choice.placement === 'edge' && cloud !== null ? [`the cloud alone ${short(cloud)}`] : []),
    ...(split !== null ? [`the best split ${short(split)}`] : []),
  ];
  const verb = goal === 'latency' ? 'takes' : 'gives';
  const others = rivals.length === 0 ? '' : `; ${rivals.join(', ').replace(/(alone|split) /, `$1 ${verb} `)}`;
  if (choice.placement === 'edge') return `Do not split: run it all on the edge, ${speed(choice, goal)}${others}.`;
  const gained = gain(choice, edge, 'the edge alone', goal);
  const sent = choice.codec === 'raw' ? 'its input sent as it is' : `its input sent as ${choice.codec}`;
  return `Do not split: run it all in the cloud, ${sent}, ${speed(choice, goal)}${gained === null ? '' : `, ${gained}`}${others}.`;
}

function nameOf({ label, codec }: PlanRow): string {
  return label.replace(/^split at /, '').replace(`, ${codec}`, '');
}

/** `31 % less than the edge alone (88 ms)`; null when there is nothing to compare with. */
function gain(row: PlanRow, other: PlanRow | null, name: string, goal: Goal): string | null {
  if (other === null) return null;
  if (goal === 'throughput') {
    const times = formatTimes(row.framesPerSecond / other.framesPerSecond);
    return `${times} as many as ${name} (${speed(other, goal)})`;
  }
  const share = Math.round(100 * (1 - row.latencyMs / other.latencyMs));
  const word = share < 1 ? 'hardly less' : `${share} % less`;
  return `${word} than ${name} (${formatMs(other.latencyMs)} ms)`;
}

/** Why: where the time goes, against the best of the other placements. */
export function reasonsOf(decision: Decision): string[] {
  const { goal, choice, bestOf } = decision;
  if (goal === 'throughput') return [`The slowest stage decides, with frames in flight: ${stageText(choice)}.`];
  const { edge, cloud, split } = bestOf;
  if (choice.placement === 'edge') {
    const rivals = [cloud, split].filter((row) => row !== null);
    return rivals.map((row) => {
      const saved = msAt(choice, 'edge') - msAt(row, 'edge');
      return (
        `${capital(spoken(row))} would take ${formatMs(Math.max(0, saved))} ms of work off the edge and spend ` +
        `${formatMs(msAt(row, 'link'))} ms on the link (${formatBytes(row.uplinkBytes)} up) and ${formatMs(msAt(row, 'cloud'))} ms in the cloud.`
      );
    });
  }
  const reasons = [];
  if (edge !== null) {
    const saved = msAt(edge, 'edge') - msAt(choice, 'edge');
    reasons.push(
      `It takes ${formatMs(Math.max(0, saved))} ms of work off the edge and spends ${formatMs(msAt(choice, 'link'))} ms on the link ` +
        `and ${formatMs(msAt(choice, 'cloud'))} ms in the cloud.`,
    );
  }
  const other = choice.placement === 'split' ? cloud : split;
  if (other !== null) {
    reasons.push(
      `It sends ${formatBytes(choice.uplinkBytes)} a frame; ${spoken(other)} sends ${formatBytes(other.uplinkBytes)} ` +
        `and takes ${formatMs(other.latencyMs)} ms.`,
    );
  }
  return reasons;
}

/** A placement within a sentence. */
function spoken(row: PlanRow): string {
  if (row.placement === 'edge') return 'the edge alone';
  if (row.placement === 'split') return `the split at ${nameOf(row)}`;
  return row.codec === 'raw' ? 'the cloud alone' : `the cloud alone with ${row.codec}`;
}

const STAGES = {
  edge: 'the work on the edge',
  uplink: 'the uplink',
  cloud: 'the work in the cloud',
  downlink: 'the downlink',
} as const;

function stageText({ slowestStage, framesPerSecond }: PlanRow): string {
  return `here ${STAGES[slowestStage]}, ${formatMs(1000 / framesPerSecond)} ms of each frame`;
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** A constraint in words, with the option that sets it. */
export function constraintText(name: ConstraintName, constraints: PlanConstraints): string {
  const { keepOnEdge = [], maxEdgeWeightsBytes = 0, deadlineMs = 0, maxLoss = 0 } = constraints;
  const texts: Readonly<Record<ConstraintName, string>> = {
    keepOnEdge: `${keepOnEdge.map((one) => `'${one}'`).join(' and ')} kept on the edge (--keep-on-edge)`,
    noRawInput: 'no input of the model leaves the edge (--no-raw-input)',
    maxEdgeWeightsBytes: `at most ${formatBytes(maxEdgeWeightsBytes)} of weights on the edge (--edge-memory)`,
    deadlineMs: `99 of 100 frames within ${formatMs(deadlineMs)} ms (--deadline)`,
    maxLoss: `at most ${maxLoss} ${maxLoss === 1 ? 'point' : 'points'} of accuracy lost by coding (--max-loss)`,
  };
  return texts[name];
}

/** All constraints that say something. */
export function constraintTexts(constraints: PlanConstraints): string[] {
  return (Object.keys(constraints) as ConstraintName[]).map((name) => constraintText(name, constraints));
}

/** Where constraints conflict: what each alone would allow, and what the soonest answer would be. */
export function waysOut({ alone, soonest, conflict }: UnsatisfiableReport): string[] {
  const alternatives = alone.map(({ constraint, best }) => {
    const option = OPTION_OF[constraint];
    return best === null
      ? `With ${option} alone nothing is possible either.`
      : `With ${option} alone: ${best.label}, ${formatMs(best.latencyMs)} ms a frame (99 of 100 within ${formatMs(best.p99Ms)} ms).`;
  });
  const nearest =
    soonest === null
      ? []
      : [
          `The soonest that 99 of 100 frames can be ready is ${formatMs(soonest.p99Ms)} ms: ${soonest.label}. A longer --deadline, a faster link or a faster device would do.`,
        ];
  return [...(conflict.length < 2 ? [] : alternatives), ...nearest];
}

const OPTION_OF: Readonly<Record<ConstraintName, string>> = {
  keepOnEdge: '--keep-on-edge',
  noRawInput: '--no-raw-input',
  maxEdgeWeightsBytes: '--edge-memory',
  deadlineMs: '--deadline',
  maxLoss: '--max-loss',
};
