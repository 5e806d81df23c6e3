// A station, its files and its last records -> where its frames can run, and what they take there.
import type { CutRoute } from '@kerf/bridge';
import type { ResultRecord, Route } from '@kerf/edge-runtime';
import type { OpenedStation, StationFile } from '@kerf/edge-runtime/node';
import type { CutModel } from './cut-model.ts';

/** Steps that every placement has: the model's own time is the rest. Waiting for a place is no cost of a placement. */
const NOT_THE_MODEL: ReadonlySet<string> = new Set(['capture', 'preprocess', 'queue', 'postprocess', 'decide', 'sink']);

export interface Way {
  readonly name: string;
  readonly placement: CutRoute['placement'];
  readonly crossing: readonly string[] | null;
  readonly refusal: Route['refusal'];
}

/** In the order of the model: the most in the cloud first. */
export function waysOf({ config }: StationFile, model: CutModel, opened: OpenedStation): Way[] {
  const { placement } = opened;
  if (placement !== null) return placement.routes.filter(({ kind }) => kind !== 'small').map(wayOf);
  const way = (name: CutRoute['placement'], crossing: readonly string[] | null): Way => ({
    name,
    placement: name,
    crossing,
    refusal: null,
  });
  const edge = way('edge', []);
  if (config.cloud === null) return [edge];
  const canRunHere = model.kind === 'whole' || model.partPaths.length === 2;
  const far = model.kind === 'split' ? way('split', model.crossing) : way('cloud', null);
  return config.model.resident && canRunHere ? [far, edge] : [far];
}

function wayOf({ name, kind, crossing, refusal }: Route): Way {
  return { name, placement: kind === 'split' ? 'split' : kind === 'cloud' ? 'cloud' : 'edge', crossing, refusal };
}

/** Of a chain by the route's name, of others by where the frame ran: they have no other names. */
function routeOfRecord({ route, placement }: ResultRecord, isChain: boolean): string {
  return isChain ? route : placement;
}

/** Where frames of a station that is no chain go: the one way, or where the last one ran. */
export function onlyRoute(ways: readonly Way[], records: readonly ResultRecord[]): string | null {
  const [first, ...others] = ways;
  if (others.length === 0) return first?.name ?? null;
  const last = records.findLast(({ placement }) => ways.some(({ name }) => name === placement));
  return last?.placement ?? null;
}

export function measuredRoutes(
  ways: readonly Way[],
  records: readonly ResultRecord[],
  { placement }: OpenedStation,
): CutRoute[] {
  const estimates = new Map(placement?.snapshot.estimates.routes.map((one) => [one.name, one]));
  return ways.map((way) => {
    // A provisional answer says nothing of the way that failed.
    const ran = records.filter(
      (record) => routeOfRecord(record, placement !== null) === way.name && record.fallbackReason === null,
    );
    const times = ran.map(modelMs).sort((left, right) => left - right);
    const [estimate, ms] = [estimates.get(way.name), times[times.length >> 1] ?? null];
    return {
      ...way,
      ms: ms ?? estimate?.ms ?? null,
      errorMs: ms === null ? (estimate?.errorMs ?? null) : standardError(times),
      isMeasured: ms !== null,
      frames: ran.length,
      bytesUp: ran.length === 0 ? null : mean(ran.map(({ bytesUp }) => bytesUp)),
    };
  });
}

function modelMs({ spans }: ResultRecord): number {
  return spans.reduce((sum, { stage, durationMs }) => (NOT_THE_MODEL.has(stage) ? sum : sum + durationMs), 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function standardError(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const middle = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
  return Math.sqrt(variance / values.length);
}
