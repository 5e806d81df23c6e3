// A written chain -> the lines that a person reads: its segments, where each placement is the best, and what it costs.
import type { ChainChoice, ChainLoss, ChainManifest, ChainReign } from '@kerf/protocol';
import { printable } from '../commands/cuts.ts';
import { formatBytes, table } from '../units.ts';

/** Tensors of a cut that are shown by name. */
const SHOWN_TENSORS = 3;

export function chainText(manifest: ChainManifest, splitLoss: ChainLoss | null): string[] {
  const { choice, cuts, sharedData } = manifest;
  return [
    ...segmentTable(manifest),
    ...(sharedData === null
      ? []
      : [`${sharedData.file} holds ${formatBytes(sharedData.bytes)} that several segments use`]),
    ...(cuts.length === 0 ? [] : ['', ...cutTable(manifest)]),
    ...(choice === null ? [] : ['', ...choiceText(choice, cuts.length, splitLoss)]),
  ];
}

function segmentTable({ segments, cuts }: ChainManifest): string[] {
  const border = (at: number, end: string): string => nameCut(cuts[at]?.tensors ?? null) ?? end;
  const rows = segments.map(({ file, nodes, bytes, externalData }, at) => [
    file,
    border(at - 1, 'model inputs'),
    border(at, 'model outputs'),
    String(nodes),
    formatBytes(bytes + (externalData?.bytes ?? 0)),
  ]);
  return table([['segment', 'begins behind', 'ends at', 'nodes', 'bytes'], ...rows], [3, 4]);
}

/** One row for each way to divide the chain, from all in the cloud to all on the edge. */
function cutTable({ cuts, choice }: ChainManifest): string[] {
  const head = ['edge runs', 'crosses', 'bytes a frame', ...(choice === null ? [] : ['best of the chain'])];
  const row = (runs: string, crosses: string, bytes: string, reign: ChainReign | null): string[] => [
    runs,
    crosses,
    bytes,
    ...(choice === null ? [] : [reignText(reign)]),
  ];
  const divided = cuts.map(({ tensors, bytes, reign }, at) =>
    row(segmentsText(at + 1), nameCut(tensors) ?? '', bytes === null ? '?' : formatBytes(bytes), reign),
  );
  return table(
    [
      head,
      row('nothing', 'model inputs', '', choice?.cloud ?? null),
      ...divided,
      row('all', '', '', choice?.edge ?? null),
    ],
    [2],
  );
}

function segmentsText(count: number): string {
  return count === 1 ? 'segment 0' : `segments 0 to ${count - 1}`;
}

function nameCut(tensors: readonly string[] | null): string | null {
  if (tensors === null) return null;
  const shown = tensors.slice(0, SHOWN_TENSORS).map(printable);
  const more = tensors.length - shown.length;
  return `${shown.join(' + ')}${more > 0 ? ` + ${more} more` : ''}`;
}

function reignText(reign: ChainReign | null): string {
  if (reign === null) return 'nowhere';
  const [least, most] = reign.uplinkBitsPerSecond;
  const [shortest, longest] = reign.roundTripMs;
  const rates = least === most ? megabits(least) : `${megabits(least)} to ${megabits(most)}`;
  const times = shortest === longest ? figure(shortest) : `${figure(shortest)} to ${figure(longest)}`;
  return `${percent(reign.share)} of links: ${rates} Mbit/s, ${times} ms`;
}

/** What the choice costs against a free one. */
function choiceText(choice: ChainChoice, cuts: number, splitLoss: ChainLoss | null): string[] {
  const { links, optimalCuts, regret, isExact } = choice;
  const [least, most] = links.uplinkBitsPerSecond;
  const range = `${megabits(least)} to ${megabits(most)} Mbit/s, ${links.roundTripMs.map(figure).join(' to ')} ms round trip`;
  const lines = [`${links.count} links: ${range}, downlink as the uplink`];
  if (optimalCuts === 0) {
    lines.push('Do not split: on none of them is a cut better than the whole model on the edge or in the cloud.');
    if (cuts === 0) lines.push('The chain is one segment; --cuts N writes the N cuts that lose least.');
  } else {
    const some = optimalCuts === 1 ? '1 cut is' : `${optimalCuts} cuts are`;
    lines.push(`${some} the best somewhere; the chain has ${cuts}.`);
    lines.push(`Against a free choice a frame takes ${lossText(regret)} longer.`);
  }
  if (splitLoss !== null && cuts > 0) {
    lines.push(`Frames that are split take ${lossText(splitLoss)} longer than at the best placement.`);
  }
  if (!isExact) lines.push('The search for cuts ended at its limit: a better choice may exist.');
  return lines;
}

function lossText({ worst, mean }: ChainLoss): string {
  return worst < 1e-6 ? '0 %' : `at most ${percent(worst)}, on average ${percent(mean)}`;
}

function megabits(bitsPerSecond: number): string {
  return figure(bitsPerSecond / 1e6);
}

function percent(part: number): string {
  return `${figure(part * 100)} %`;
}

/** Two digits, and all before the point. */
function figure(value: number): string {
  return value >= 10 ? value.toFixed(0) : String(Number(value.toPrecision(2)));
}
