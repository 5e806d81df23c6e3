// A model, its profiles and a network that somebody asks about -> every cut with what it takes, and the planner's choice.
import type { CutPlan, CutRow } from '@kerf/bridge';
import type { ModelGraph } from '@kerf/onnx';
import { KerfError } from '@kerf/protocol';
import {
  type Candidate,
  type CodecProfile,
  type DeviceProfile,
  type ImageInput,
  losslessCodec,
  type PlanRequest,
  type Priced,
  plan,
  predict,
  priceCuts,
  priceDivisions,
  RAW_CODEC,
  scaleProfile,
  statedLink,
} from '@kerf/splitter';

export interface CutSubject {
  readonly graph: ModelGraph;
  readonly edge: DeviceProfile;
  readonly cloud: DeviceProfile;
  /** Codecs that were measured at cuts; and what a usual picture takes as an image. */
  readonly calibrated: readonly CodecProfile[];
  readonly images: readonly ImageInput[];
  /** Routes that the station can switch to, with what crosses; empty where it has but one way. */
  readonly routes: readonly Pick<RouteOf, 'name' | 'placement' | 'crossing'>[];
  readonly deadlineMs: number;
}

interface RouteOf {
  readonly name: string;
  readonly placement: CutRow['placement'];
  readonly crossing: readonly string[];
}

export interface CutQuestion {
  readonly uplinkBitsPerSecond: number;
  readonly roundTripMs: number;
  /** Times as fast as the profile says. */
  readonly edgeSpeed: number;
  /** Most accuracy to lose by coding, in points; null for any. */
  readonly maxLoss: number | null;
}

/** @throws {KerfError} as the planner does. */
export function buildCutPlan(subject: CutSubject, question: CutQuestion): CutPlan {
  const request = requestOf(subject, question);
  const found = plan(subject.graph, request);
  if (found.outcome !== 'planned') throw new KerfError('INTERNAL', 'a plan without limits was not found');
  const { choice, runnerUp, bestOf } = found;
  const priced = (candidate: Candidate | null): Priced | null =>
    candidate === null ? null : { candidate, prediction: predict(candidate, request.link, 0) };
  const cuts = subject.routes.filter(({ placement }) => placement === 'split').map(({ crossing }) => crossing);
  const divisions = priceDivisions(subject.graph, request, cuts);
  const table = new Rows(subject, request);
  for (const one of [
    choice,
    runnerUp,
    ...Object.values(bestOf),
    ...priceCuts(subject.graph, request),
    ...[divisions.edge, divisions.cloud, ...divisions.cuts, ...found.changes.map(({ becomes }) => becomes)].map(priced),
  ])
    table.add(one);
  const rows = table.sorted();
  const at = (one: Pick<Priced, 'candidate'> | null): number | null =>
    one === null ? null : rows.findIndex(({ key }) => key === keyOf(one.candidate));
  return {
    uplinkBitsPerSecond: request.link.uplinkBitsPerSecond,
    downlinkBitsPerSecond: request.link.downlinkBitsPerSecond,
    roundTripMs: request.link.roundTripMs,
    edgeSpeed: question.edgeSpeed,
    rows: rows.map(({ row }) => row),
    choice: at(choice) ?? 0,
    runnerUp: at(runnerUp),
    bestOf: { edge: at(bestOf.edge), cloud: at(bestOf.cloud), split: at(bestOf.split) },
    changes: found.changes.map(({ becomes, ...change }) => ({ ...change, becomes: at(priced(becomes)) })),
    gapMs: found.gapMs,
    unpriced: Math.max(found.unpriced.edge, found.unpriced.cloud),
    deadlineMs: subject.deadlineMs,
  };
}

/** What loses more than is allowed is left out, as `kerf plan --max-loss` does; so is what loses nobody knows how much. */
function requestOf({ edge, cloud, calibrated, images }: CutSubject, question: CutQuestion): PlanRequest {
  const { uplinkBitsPerSecond, roundTripMs, edgeSpeed, maxLoss } = question;
  const profiles = { edge: scaleProfile(edge, edgeSpeed), cloud };
  const lossless = losslessCodec({ ...profiles, calibrated });
  const most = maxLoss ?? Number.POSITIVE_INFINITY;
  const kept = calibrated.map((profile) => ({
    ...profile,
    entries: profile.entries.filter((entry) => Math.max(0, entry.lossPoints) <= most),
  }));
  return {
    ...profiles,
    link: statedLink({ uplinkBitsPerSecond, roundTripMs }),
    codecs: [RAW_CODEC, ...(lossless === null ? [] : [lossless])],
    calibrated: kept,
    images: images.filter((image) => maxLoss === null || (image.maxLoss !== null && image.maxLoss <= most)),
  };
}

export function losesSomething({ tensors }: CodecProfile['entries'][number]): boolean {
  return tensors.some(({ codec }) => codec.kind !== 'raw' && codec.kind !== 'lossless');
}

/** Placements that differ in their codec only are one row: the fastest. */
function keyOf({ placement, crossing }: Candidate): string {
  return placement === 'split' ? crossingKey(crossing.map(({ name }) => name)) : placement;
}

function crossingKey(names: readonly string[]): string {
  return JSON.stringify([...names].sort());
}

class Rows {
  private readonly request: PlanRequest;
  private readonly rows = new Map<string, CutRow>();
  private readonly rawBytes: ReadonlyMap<string, number>;
  private readonly routes: ReadonlyMap<string, string>;

  constructor({ routes }: CutSubject, request: PlanRequest) {
    this.request = request;
    const values = [...request.cloud.values, ...request.edge.values];
    this.rawBytes = new Map(values.map(({ name, bytes }) => [name, bytes ?? 0]));
    this.routes = new Map(
      routes.map(({ name, placement, crossing }) => [placement === 'split' ? crossingKey(crossing) : placement, name]),
    );
  }

  add(priced: Priced | null): void {
    if (priced === null) return;
    const key = keyOf(priced.candidate);
    const known = this.rows.get(key);
    if (known !== undefined && known.latencyMs <= priced.prediction.latencyMs) return;
    this.rows.set(key, this.rowOf(priced, this.routes.get(key) ?? null));
  }

  /** The cloud alone first, the edge alone last, cuts between them in the order of the model. */
  sorted(): { readonly key: string; readonly row: CutRow }[] {
    const rank = ({ placement, headNodes }: CutRow): number =>
      placement === 'cloud' ? -1 : placement === 'edge' ? Number.POSITIVE_INFINITY : headNodes;
    return [...this.rows]
      .map(([key, row]) => ({ key, row }))
      .sort((left, right) => rank(left.row) - rank(right.row) || left.row.crossing.length - right.row.crossing.length);
  }

  private rowOf({ candidate, prediction }: Priced, route: string | null): CutRow {
    const { placement, codec, headNodes, uplinkBytes, edgeMs, encodeMs, decodeMs, cloudMs, crossingMs } = candidate;
    const isHere = placement === 'edge';
    const crossing = candidate.crossing.map(({ name }) => name);
    return {
      placement,
      crossing,
      codec,
      headNodes,
      rawBytes: crossing.reduce((sum, name) => sum + (this.rawBytes.get(name) ?? 0), 0),
      uplinkBytes,
      headMs: edgeMs,
      encodeMs,
      uplinkMs: isHere ? 0 : prediction.uplinkMs,
      roundTripMs: isHere ? 0 : this.request.link.roundTripMs + crossingMs,
      decodeMs,
      tailMs: cloudMs,
      downlinkMs: isHere ? 0 : prediction.downlinkMs,
      latencyMs: prediction.latencyMs,
      p99Ms: prediction.p99Ms,
      lossPoints: candidate.loss,
      source: candidate.source,
      fusion: candidate.fusion,
      route,
    };
  }
}
