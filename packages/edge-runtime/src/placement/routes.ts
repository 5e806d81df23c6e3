// The names of a chain, what of it the device holds, and what must not leave it -> the routes that frames may take.
import { byteLengthOf, type ChainManifest } from '@kerf/protocol';
import { divisionNames } from '@kerf/splitter';

/**
 * `edge`: all segments here. `cloud`: all there, the inputs cross. `cut-K`: the first K segments here. `small`: another,
 * smaller model here.
 */
export type RouteKind = 'edge' | 'cloud' | 'split' | 'small';

/** A way for a frame through the chain. */
export interface Route {
  /** `edge`, `cloud`, `cut-1`, ..., `small`. */
  readonly name: string;
  readonly kind: RouteKind;
  /** Segments that run on the device; 0 for `small`, which runs none of the chain. */
  readonly at: number;
  /** Names of what crosses; empty where nothing does. */
  readonly crossing: readonly string[];
  /** Bytes of what crosses, as it was measured where it is coded, else raw; null while a size is open. */
  readonly uplinkBytes: number | null;
  /** Why no frame may take it; null when frames may. */
  readonly refusal: RouteRefusal | null;
}

/** Why a route is not taken, as a code with its values: whoever shows it words it. */
export type RouteRefusal =
  /** The words of whoever set the constraint. */
  | { readonly code: 'wish'; readonly words: string }
  | { readonly code: 'raw-input'; readonly input: string }
  | { readonly code: 'too-large'; readonly bytes: number; readonly maxBytes: number };

/** What holds for every frame. */
export interface RouteConstraints {
  /** No model input may leave the device. What only preprocessing in the model makes of one is not seen from here: use `refused`. */
  readonly noRawInput?: boolean;
  /** Bytes of the segments' files that a route may need on the device, shared data counted in full. */
  readonly maxEdgeBytes?: number;
  /** Routes that must not be taken, by name, with the reason: loss beyond the limit, a person's wish. */
  readonly refused?: Readonly<Record<string, string>>;
}

export interface RouteSetup {
  readonly chain: ChainManifest;
  /** Segments that the device holds: a prefix. */
  readonly resident: number;
  readonly hasCloud: boolean;
  readonly hasSmall: boolean;
  readonly constraints?: RouteConstraints;
}

/** Whether frames on the route cross the link. */
export function isRemote({ route }: { readonly route: Pick<Route, 'kind'> }): boolean {
  return route.kind === 'cloud' || route.kind === 'split';
}

/** Name of the route with the first `at` segments on the device. */
export function cutName(at: number): string {
  return `cut-${at}`;
}

/** All routes that the setup has, those that a constraint refuses too, with the reason. The fewest segments here first. */
export function routesOf({ chain, resident, hasCloud, hasSmall, constraints = {} }: RouteSetup): Route[] {
  const { segments } = chain;
  const sizes = new Map(chain.tensors.map((tensor) => [tensor.name, bytesOf(tensor)]));
  const routes: Route[] = [];
  const add = (name: string, kind: RouteKind, at: number, uplinkBytes: number | null): void => {
    const crossing = kind === 'cloud' || kind === 'split' ? divisionNames(chain, at).cut : [];
    routes.push({ name, kind, at, crossing, uplinkBytes, refusal: refusal(chain, name, kind, at, constraints) });
  };
  if (hasCloud) {
    const inputs = divisionNames(chain, 0).cut.map((name) => sizes.get(name) ?? null);
    add('cloud', 'cloud', 0, sumOrNull(inputs));
    for (let at = 1; at < segments.length && at <= resident; at++) {
      add(cutName(at), 'split', at, codedBytes(chain.cuts[at - 1]));
    }
  }
  if (resident >= segments.length) add('edge', 'edge', segments.length, 0);
  if (hasSmall) add('small', 'small', 0, 0);
  return routes;
}

function refusal(
  chain: ChainManifest,
  name: string,
  kind: RouteKind,
  at: number,
  { noRawInput, maxEdgeBytes, refused }: RouteConstraints,
): RouteRefusal | null {
  const wish = refused?.[name];
  if (wish !== undefined) return { code: 'wish', words: wish };
  if (noRawInput === true && (kind === 'cloud' || kind === 'split')) {
    const raw = divisionNames(chain, at).cut.find((tensor) => chain.modelInputs.includes(tensor));
    if (raw !== undefined) return { code: 'raw-input', input: raw };
  }
  const bytes = edgeBytes(chain, at);
  const isTooLarge = maxEdgeBytes !== undefined && bytes > maxEdgeBytes;
  return isTooLarge ? { code: 'too-large', bytes, maxBytes: maxEdgeBytes } : null;
}

/** For logs, reports and errors, which are in English. */
export function refusalText(refusal: RouteRefusal): string {
  if (refusal.code === 'wish') return refusal.words;
  if (refusal.code === 'raw-input') return `the input '${refusal.input}' must not leave the device`;
  return `its segments take ${refusal.bytes} bytes on the device, ${refusal.maxBytes} are allowed`;
}

function codedBytes(cut: ChainManifest['cuts'][number] | undefined): number | null {
  const measured = cut?.codec.kind === 'coded' ? cut.codec.calibration?.bytesPerFrame : undefined;
  return measured ?? cut?.bytes ?? null;
}

/** Files that the first `at` segments need. */
export function edgeBytes({ segments, sharedData }: ChainManifest, at: number): number {
  const here = segments.slice(0, at);
  const own = here.reduce((sum, { bytes, externalData }) => sum + bytes + (externalData?.bytes ?? 0), 0);
  return own + (here.some(({ usesSharedData }) => usesSharedData) ? (sharedData?.bytes ?? 0) : 0);
}

function sumOrNull(sizes: readonly (number | null)[]): number | null {
  return sizes.reduce<number | null>((sum, size) => (sum === null || size === null ? null : sum + size), 0);
}

function bytesOf({ dtype, shape }: ChainManifest['tensors'][number]): number | null {
  const isKnown = shape !== null && shape.every((size) => typeof size === 'number');
  return dtype === null || dtype === 'string' || !isKnown ? null : byteLengthOf(dtype, shape);
}
