// A plan's ranking -> the few candidates that are worth measuring, and a candidate -> what a session has to do.
import type { SplitCodec } from '@kerf/protocol';
import { type Candidate, candidateKey, type Plan, type Priced } from '@kerf/splitter';
import type { PictureCoding, Placement } from './placements.ts';

/** Cuts with the same bytes and this share of the nodes between them are one place for a first look. */
const NEIGHBOURHOOD = 0.03;

/** What a session can run of it; null for a codec that sessions do not have. */
export function placementOf(
  { placement, codec, crossing, calibrated }: Candidate,
  images: ReadonlyMap<string, PictureCoding>,
): Placement | null {
  if (placement === 'edge') return { kind: 'edge' };
  const image = placement === 'cloud' ? images.get(codec) : undefined;
  if (image !== undefined) return { kind: 'cloud', as: image };
  const tensors = crossing.map(({ name }) => name);
  if (calibrated !== null) {
    const { folder, tensors: coded } = calibrated.entry;
    const entries = coded.map(({ name, codec: one }) => ({ name, codec: one }));
    const chosen: SplitCodec = { kind: 'coded', tensors: entries, calibration: null };
    return { kind: 'split', tensors, codec: chosen, ...(folder === null ? {} : { tablesFrom: folder }) };
  }
  const kinds = new Set(crossing.map((one) => one.codec));
  if (![...kinds].every((kind) => kind === 'raw' || kind === 'lossless')) return null;
  if (!kinds.has('lossless')) return placement === 'cloud' ? { kind: 'cloud', as: 'raw' } : { kind: 'split', tensors };
  // A session codes all inputs alike.
  if (placement === 'cloud') return kinds.size === 1 ? { kind: 'cloud', as: 'lossless' } : null;
  const lossless = crossing.filter((one) => one.codec === 'lossless');
  const entries = lossless.map(({ name }) => ({ name, codec: { kind: 'lossless' as const } }));
  return { kind: 'split', tensors, codec: { kind: 'coded', tensors: entries, calibration: null } };
}

/** Choice, runner-up, the best of each placement, and the next best that are not next to one of these; best first. */
export function firstPick(plan: Plan, count: number, isMeasurable: (candidate: Candidate) => boolean): Priced[] {
  const { choice, runnerUp, bestOf } = plan;
  const picked: Priced[] = [];
  const add = (one: Priced | null | undefined): void => {
    if (one === null || one === undefined || !isMeasurable(one.candidate)) return;
    const key = candidateKey(one.candidate);
    if (!picked.some(({ candidate }) => candidateKey(candidate) === key)) picked.push(one);
  };
  for (const one of [choice, runnerUp, bestOf.edge, bestOf.cloud, bestOf.split]) add(one);
  for (const one of plan.ranked) {
    if (picked.length >= count) break;
    if (!picked.some(({ candidate }) => areNeighbours(candidate, one.candidate))) add(one);
  }
  return picked.sort((left, right) => left.prediction.latencyMs - right.prediction.latencyMs);
}

function areNeighbours(left: Candidate, right: Candidate): boolean {
  if (left.placement !== 'split' || right.placement !== 'split' || left.uplinkBytes !== right.uplinkBytes) return false;
  return Math.abs(left.headNodes - right.headNodes) <= NEIGHBOURHOOD * Math.max(left.headNodes, right.headNodes);
}
