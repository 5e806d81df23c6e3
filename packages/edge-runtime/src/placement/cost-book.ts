// Segments, answers and links as they were measured, and what a profile said before -> the price of every route.
import type { CloudSpans } from '@kerf/protocol';
import { type Estimate, Track } from './estimate.ts';
import type { LinkEstimates } from './link-estimator.ts';
import { guessed, NOTHING, type Price, priceOf, SEGMENT, type Term, termOf } from './price.ts';
import type { Route } from './routes.ts';

/** What a profile or a plan expects of a route, before anything was measured. A frame's milliseconds and bytes. */
export interface ExpectedRoute {
  /** All that runs on the device. */
  readonly edgeMs: number;
  readonly encodeMs: number;
  /** Null: as the chain says. */
  readonly uplinkBytes: number | null;
  /** Decoding, the run, and the way through gateway and worker. */
  readonly cloudMs: number;
  readonly downlinkBytes: number;
}

/** What a plan expects: it knows the bytes as well. */
export interface RoutePrior extends ExpectedRoute {
  readonly uplinkBytes: number;
}

/** Without a profile a cloud is taken for so much faster than the device. */
const CLOUD_SHARE = 0.25;
/** The way through gateway and worker, unmeasured. */
const CROSSING_MS = 2;
/** How far a profile may be off, as a standard deviation. */
const PROFILE_ERROR = 0.2;

interface Meter {
  readonly cloudMs: Track;
  readonly encodeMs: Track;
  readonly uplinkBytes: Track;
  readonly localMs: Track;
}

export class CostBook {
  readonly #segments: readonly Track[];
  readonly #meters: ReadonlyMap<string, Meter>;
  readonly #priors: ReadonlyMap<string, ExpectedRoute>;
  readonly #routes: readonly Route[];
  /** Names that some route sends. */
  readonly #isCrossing: ReadonlySet<string>;
  readonly #queueMs = new Track();
  readonly #downlinkBytes = new Track();
  readonly #sizes = new Map<string, number>();

  /** @param segments of the whole chain. */
  constructor(routes: readonly Route[], segments: number, priors: ReadonlyMap<string, ExpectedRoute>) {
    this.#routes = routes;
    this.#isCrossing = new Set(routes.flatMap(({ crossing }) => crossing));
    this.#segments = Array.from({ length: segments }, () => new Track());
    this.#priors = priors;
    this.#meters = new Map(
      routes.map(({ name }) => [
        name,
        { cloudMs: new Track(), encodeMs: new Track(), uplinkBytes: new Track(), localMs: new Track() },
      ]),
    );
  }

  /** Bytes of a tensor of the last frame, raw. */
  onSize(name: string, bytes: number): void {
    if (this.#isCrossing.has(name)) this.#sizes.set(name, bytes);
  }

  /** A segment ran on the device. */
  onSegment(at: number, ms: number, nowMs: number): void {
    this.#segments[at]?.add(ms, nowMs);
  }

  /** A route that runs none of the chain ran on the device. */
  onLocal(name: string, ms: number, nowMs: number): void {
    this.#meters.get(name)?.localMs.add(ms, nowMs);
  }

  /** The cloud answered a frame of the route. */
  onAnswer(
    name: string,
    answer: {
      readonly encodeMs: number;
      readonly bytesUp: number;
      readonly bytesDown: number;
      readonly cloud: CloudSpans;
    },
    nowMs: number,
  ): void {
    const meter = this.#meters.get(name);
    if (meter === undefined) return;
    const { encodeMs, bytesUp, bytesDown, cloud } = answer;
    meter.encodeMs.add(encodeMs, nowMs);
    meter.uplinkBytes.add(bytesUp, nowMs);
    meter.cloudMs.add(Math.max(0, cloud.totalMs - cloud.queueMs), nowMs);
    this.#queueMs.add(cloud.queueMs, nowMs);
    this.#downlinkBytes.add(bytesDown, nowMs);
  }

  queueMs(nowMs: number): Estimate | null {
    return this.#queueMs.at(nowMs);
  }

  /** Bytes of an answer. */
  downlinkBytes(nowMs: number): number {
    return this.#downlinkBytes.at(nowMs)?.value ?? 0;
  }

  /** Bytes that a frame of the route sends. */
  uplinkBytes(route: Route, nowMs: number): number | null {
    const measured = this.#meters.get(route.name)?.uplinkBytes.at(nowMs)?.value;
    const known = measured ?? this.#priors.get(route.name)?.uplinkBytes ?? route.uplinkBytes;
    if (known !== null) return known;
    return route.crossing.reduce<number | null>((sum, name) => {
      const bytes = this.#sizes.get(name);
      return sum === null || bytes === undefined ? null : sum + bytes;
    }, 0);
  }

  /** Null while something that it depends on is unknown. */
  price(route: Route, link: LinkEstimates, nowMs: number): Price | null {
    const meter = this.#meters.get(route.name);
    if (meter === undefined) return null;
    if (route.kind === 'small') return localPrice(route, meter.localMs.at(nowMs), link);
    const head = this.#head(route.at, nowMs);
    const uplinkBytes = this.uplinkBytes(route, nowMs);
    if (head === null || uplinkBytes === null) return null;
    const measured = meter.cloudMs.at(nowMs);
    const encode = meter.encodeMs.at(nowMs);
    const queue = this.#queueMs.at(nowMs);
    const lastSegment = this.#segments[route.at - 1]?.at(nowMs) ?? null;
    const own = route.kind === 'edge' ? lastSegment : measured;
    return priceOf(route, {
      head,
      encode: encode === null ? guessed(this.#priors.get(route.name)?.encodeMs ?? 0) : termOf(encode),
      uplinkBytes,
      downlinkBytes: this.#downlinkBytes.at(nowMs)?.value ?? this.#priors.get(route.name)?.downlinkBytes ?? 0,
      cloud: measured === null ? this.#guessCloud(route, nowMs) : termOf(measured),
      queue: queue === null ? NOTHING : termOf(queue),
      link,
      isMeasured: own !== null,
      ageMs: own?.ageMs ?? Number.POSITIVE_INFINITY,
    });
  }

  /** The first `count` segments on the device; null when one was neither measured nor expected. */
  #head(count: number, nowMs: number): Map<string, Term> | null {
    const head = new Map<string, Term>();
    const factor = this.#deviceFactor(nowMs);
    for (let at = 0; at < count; at++) {
      const measured = this.#segments[at]?.at(nowMs) ?? null;
      const expected = this.#expectedSegmentMs(at);
      if (measured !== null) head.set(`${SEGMENT}${at}`, termOf(measured));
      else if (expected !== null) head.set(`${SEGMENT}${at}`, ofProfile(expected * factor));
      else return null;
    }
    return head;
  }

  /** Measured over expected, of the segments of which both are known. */
  #deviceFactor(nowMs: number): number {
    const sums = { measured: 0, expected: 0 };
    this.#segments.forEach((track, at) => {
      const measured = track.at(nowMs);
      const expected = this.#expectedSegmentMs(at);
      if (measured === null || expected === null || expected <= 0) return;
      sums.measured += measured.value;
      sums.expected += expected;
    });
    return sums.expected > 0 ? sums.measured / sums.expected : 1;
  }

  /** Difference of what two neighbouring routes run on the device. */
  #expectedSegmentMs(at: number): number | null {
    const until = this.#expectedEdgeMs(at + 1);
    const from = at === 0 ? 0 : this.#expectedEdgeMs(at);
    return until === null || from === null ? null : Math.max(0, until - from);
  }

  #expectedEdgeMs(at: number): number | null {
    const route = this.#routes.find((other) => other.kind !== 'small' && other.at === at);
    return (route === undefined ? null : this.#priors.get(route.name)?.edgeMs) ?? null;
  }

  /** From the profile, corrected by what other routes showed; else from what the device takes for the same segments. */
  #guessCloud(route: Route, nowMs: number): Term | null {
    const expected = this.#priors.get(route.name)?.cloudMs;
    if (expected !== undefined)
      return ofProfile(expected * this.#cloudFactor(nowMs, (name) => this.#priors.get(name)?.cloudMs));
    const restMs = this.#restMs(route.at, nowMs);
    if (restMs === null) return null;
    const factor = this.#cloudFactor(nowMs, (name) => {
      const other = this.#routes.find((one) => one.name === name);
      const otherRestMs = other === undefined ? null : this.#restMs(other.at, nowMs);
      return otherRestMs === null ? undefined : CROSSING_MS + CLOUD_SHARE * otherRestMs;
    });
    return guessed((CROSSING_MS + CLOUD_SHARE * restMs) * factor);
  }

  #cloudFactor(nowMs: number, expected: (name: string) => number | undefined): number {
    const sums = { measured: 0, expected: 0 };
    for (const [name, { cloudMs }] of this.#meters) {
      const measured = cloudMs.at(nowMs);
      const ms = expected(name);
      if (measured === null || ms === undefined) continue;
      sums.measured += measured.value;
      sums.expected += ms;
    }
    return sums.expected > 0 ? sums.measured / sums.expected : 1;
  }

  /** What the device takes for the segments from `at` on. */
  #restMs(at: number, nowMs: number): number | null {
    const rest = this.#segments.slice(at).map((track) => track.at(nowMs));
    return rest.reduce<number | null>((sum, one) => (sum === null || one === null ? null : sum + one.value), 0);
  }
}

function ofProfile(ms: number): Term {
  return { ms, spreadMs: ms * PROFILE_ERROR, errorMs: ms * PROFILE_ERROR, ageMs: Number.POSITIVE_INFINITY };
}

function localPrice(route: Route, measured: Estimate | null, link: LinkEstimates): Price | null {
  if (measured === null) return null;
  return priceOf(route, {
    head: new Map([[route.name, termOf(measured)]]),
    encode: NOTHING,
    uplinkBytes: 0,
    downlinkBytes: 0,
    cloud: null,
    queue: NOTHING,
    link,
    isMeasured: true,
    ageMs: measured.ageMs,
  });
}
