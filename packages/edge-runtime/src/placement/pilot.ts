// Frames, answers, pings and probes of one device -> a route for each frame. No I/O and no clock: whoever drives it says when.
import type { ErrorCode } from '@kerf/protocol';
import type { FrameSpans } from '../session/outcome.ts';
import {
  afterFrame,
  afterLate,
  afterTrial,
  type ControlMemory,
  type RemoteFrame,
  startMemory,
} from './control-memory.ts';
import { decide, type SwitchCause } from './controller.ts';
import { CostBook, type ExpectedRoute } from './cost-book.ts';
import { type Estimate, Track } from './estimate.ts';
import type { LinkEstimates } from './link-estimator.ts';
import { LinkWatch } from './link-watch.ts';
import { type PlacementOptions, resolvePlacementOptions } from './options.ts';
import type { ProbeSize } from './probing.ts';
import type { SwitchReason } from './reasons.ts';
import type { RouteView } from './route-view.ts';
import { isRemote, type Route, type RouteRefusal } from './routes.ts';
import { sayReason } from './say-reason.ts';

export interface PilotSetup {
  readonly routes: readonly Route[];
  /** Segments of the chain. */
  readonly segments: number;
  /** What a plan expects of routes, by name. @default nothing */
  readonly priors?: ReadonlyMap<string, ExpectedRoute>;
  readonly options?: Partial<PlacementOptions>;
}

/** What the world is like when a frame comes. */
export interface Moment {
  readonly nowMs: number;
  readonly deadlineMs: number;
  readonly isCloudThere: boolean;
  /** Whether frames can go to a route at once. */
  isReady(name: string): boolean;
  /** Whether a route is refused by the cloud until a person changes something. */
  isBroken(name: string): boolean;
}

/** Frames go elsewhere from now on. */
export interface RouteSwitch {
  readonly atMs: number;
  /** The first frame of it. */
  readonly frame: number;
  readonly from: string;
  readonly to: string;
  readonly cause: SwitchCause;
  /** The numbers that decided. */
  readonly why: SwitchReason;
  /** The same as one English sentence. */
  readonly reason: string;
  readonly estimates: PlacementEstimates;
}

/** What is known now; null where nothing is. */
export interface PlacementEstimates {
  readonly uplinkBitsPerSecond: Estimate | null;
  readonly downlinkBitsPerSecond: Estimate | null;
  readonly roundTripMs: Estimate | null;
  readonly queueMs: Estimate | null;
  /** Milliseconds of a frame by route. */
  readonly routes: readonly {
    readonly name: string;
    readonly refusal: RouteRefusal | null;
    readonly ms: number | null;
    readonly errorMs: number | null;
    readonly isMeasured: boolean;
  }[];
}

/** A frame's way. */
export interface Assignment {
  readonly route: string;
  readonly isTrial: boolean;
  /** A route to make ready. */
  readonly wanted: string | null;
  /** Time that the cloud has for the frame, before the device begins to finish it; null: as long as the deadline allows. */
  readonly patienceMs: number | null;
  readonly switched: RouteSwitch | null;
}

/** How a frame ended on its route. */
export interface RouteOutcome {
  readonly route: string;
  readonly isTrial: boolean;
  /** When the frame was given to the route. */
  readonly startMs: number;
  readonly spans: FrameSpans;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Null when the route answered; else why it did not. */
  readonly failure: ErrorCode | null;
  /** The device began to finish the frame, and {@link Pilot.onLate} was told. */
  readonly wasLate: boolean;
  /** The link was lost or made again meanwhile: its times say nothing of the link. */
  readonly isDisturbed: boolean;
}

/** Codes that say something of the route, not of the frame or of the caller. */
const ROUTE_FAILURES = new Set<ErrorCode>([
  'DEADLINE_EXCEEDED',
  'LINK_LOST',
  'OVERLOADED',
  'DRAINING',
  'HANDSHAKE_TIMEOUT',
  'WORKER_LOST',
]);

/** For a look at the prices alone. */
const ANY = { isReady: () => true, isBroken: () => false };

export class Pilot {
  readonly options: PlacementOptions;
  readonly #routes: readonly Route[];
  readonly #costs: CostBook;
  readonly #link: LinkWatch;
  readonly #arrivals = new Track();
  readonly #canFinishHere: boolean;
  #memory: ControlMemory | null = null;
  #history: RouteSwitch[] = [];
  #lastFrameMs: number | null = null;
  #frame = -1;
  #pin: string | null = null;

  constructor({ routes, segments, priors = new Map(), options }: PilotSetup) {
    this.options = resolvePlacementOptions(options);
    this.#routes = routes;
    this.#costs = new CostBook(routes, segments, priors);
    this.#link = new LinkWatch(this.options, () => (this.#memory?.hold ?? null) !== null);
    this.#canFinishHere = routes.some(({ kind }) => kind === 'edge' || kind === 'small');
  }

  /** The link as a profile states it, until frames tell better. */
  expectLink(link: { readonly uplinkBitsPerSecond: number; readonly roundTripMs: number }, nowMs: number): void {
    this.#link.expect(link, nowMs);
  }

  /** Where frames go; null before the first. */
  get route(): string | null {
    return this.#memory?.route ?? null;
  }

  /** Switches so far, the newest last; at most `maxHistory`. */
  get history(): readonly RouteSwitch[] {
    return this.#history;
  }

  /** The route that a person chose; null while the controller chooses. */
  get pinned(): string | null {
    return this.#pin;
  }

  /** A person's choice, or null for the controller's. */
  pin(route: string | null): void {
    this.#pin = route;
  }

  /** The route of the next frame. */
  assign(moment: Moment): Assignment {
    const { nowMs, deadlineMs, isCloudThere } = moment;
    this.#frame++;
    if (this.#lastFrameMs !== null) this.#arrivals.add(nowMs - this.#lastFrameMs, nowMs);
    this.#lastFrameMs = nowMs;
    const routes = this.#views(nowMs, moment);
    this.#memory ??= startMemory(this.#firstRoute(routes), nowMs);
    const decision = decide(
      this.#memory,
      {
        nowMs,
        routes,
        isCloudThere,
        arrivalMs: this.#arrivals.at(nowMs)?.value ?? null,
        deadlineMs,
        canFinishHere: this.#canFinishHere,
        framesUnderWay: this.#link.underWay,
        lastHeardMs: this.#link.lastHeardMs,
        pin: this.#pin,
      },
      this.options,
    );
    this.#memory = decision.memory;
    const { route, isTrial, wanted, patienceMs, switched } = decision;
    if (switched === null) return { route, isTrial, wanted, patienceMs, switched: null };
    const { from, to, cause, reason: why } = switched;
    const said = { from, to, cause, why, reason: sayReason(why, from, to) };
    const record = { atMs: nowMs, frame: this.#frame, ...said, estimates: this.estimates(nowMs) };
    this.#history = [...this.#history, record].slice(-this.options.maxHistory);
    return { route, isTrial, wanted, patienceMs, switched: record };
  }

  /** Bytes of tensors of a frame, raw: sizes that the chain leaves open. */
  onTensors(tensors: Iterable<readonly [name: string, tensor: { readonly data: Uint8Array }]>): void {
    for (const [name, { data }] of tensors) this.#costs.onSize(name, data.byteLength);
  }

  /** A segment ran on the device, whatever route it was for. */
  onSegment(at: number, ms: number, nowMs: number): void {
    this.#costs.onSegment(at, ms, nowMs);
  }

  /** A frame is on its way that pings may have to wait for; the returned function says that it has an outcome. */
  occupy(nowMs: number): (endMs: number) => void {
    return this.#link.occupy(nowMs);
  }

  /** The device begins to finish a frame that its route has not answered: how it ends may take a while yet. */
  onLate(frame: RemoteFrame): void {
    if (this.#memory !== null) this.#memory = afterLate(this.#memory, frame);
  }

  onOutcome(outcome: RouteOutcome, nowMs: number): void {
    const route = this.#routes.find(({ name }) => name === outcome.route);
    if (route === undefined || this.#memory === null) return;
    const { spans, failure, isTrial } = outcome;
    if (!isRemote({ route })) {
      if (route.kind === 'small' && failure === null) this.#costs.onLocal(route.name, spans.localMs, nowMs);
      if (isTrial) this.#memory = afterTrial(this.#memory, spans.totalMs - spans.queueMs);
      return;
    }
    const isAnswered = failure === null && spans.cloud !== null;
    if (!isAnswered && (failure === null || !ROUTE_FAILURES.has(failure))) {
      // The frame's own fault, or the caller's.
      if (isTrial) this.#memory = afterTrial(this.#memory, null);
      return;
    }
    this.#learn(outcome, isAnswered);
    const { wasLate } = outcome;
    const tookMs = isAnswered ? spans.totalMs - spans.queueMs : spans.totalMs;
    const ended = { route: route.name, isTrial, isAnswered, wasLate, tookMs };
    this.#memory = afterFrame(this.#memory, ended, nowMs, this.options);
  }

  #learn({ route, startMs, spans, bytesUp, bytesDown, isDisturbed, failure }: RouteOutcome, isAnswered: boolean): void {
    const sentMs = startMs + spans.queueMs + spans.headMs + spans.encodeMs;
    if (isAnswered && spans.cloud !== null) {
      // The device may have begun to finish the frame when the answer came after all.
      const receivedMs = sentMs + spans.networkMs + spans.cloudMs + spans.localMs;
      const cloudMs = Math.min(spans.cloud.totalMs, receivedMs - sentMs);
      this.#link.heard(receivedMs);
      this.#costs.onAnswer(route, { encodeMs: spans.encodeMs, bytesUp, bytesDown, cloud: spans.cloud }, receivedMs);
      if (!isDisturbed) this.#link.onCrossed({ sentMs, receivedMs, cloudMs, bytesUp, bytesDown });
    } else if (failure === 'DEADLINE_EXCEEDED' && bytesUp > 0 && !isDisturbed) {
      // Where the device finished the frame, waiting for it was part of the queue as well.
      const fromMs = startMs + spans.headMs + spans.encodeMs;
      this.#link.onUnanswered({ sentMs: fromMs, untilMs: fromMs + spans.networkMs, bytesUp });
    }
  }

  onRoundTrip(ms: number, nowMs: number): void {
    this.#link.onRoundTrip(ms, nowMs);
  }

  onProbe(size: ProbeSize, elapsedMs: number, nowMs: number): void {
    this.#link.onProbe(size, elapsedMs, nowMs);
  }

  /** A probe to send now, or null; its bytes are counted as sent. */
  probeDue(nowMs: number): ProbeSize | null {
    return this.#link.probeDue(this.#costs.downlinkBytes(nowMs), nowMs);
  }

  estimates(nowMs: number): PlacementEstimates {
    const link = this.#link.at(nowMs);
    return {
      uplinkBitsPerSecond: rateOf(link.upMsPerByte),
      downlinkBitsPerSecond: rateOf(link.downMsPerByte),
      roundTripMs: link.roundTripMs,
      queueMs: this.#costs.queueMs(nowMs),
      routes: this.#views(nowMs, ANY).map(({ route, price }) => ({
        name: route.name,
        refusal: route.refusal,
        ms: price?.ms ?? null,
        errorMs: price?.errorMs ?? null,
        isMeasured: price?.isMeasured ?? false,
      })),
    };
  }

  #views(nowMs: number, { isReady, isBroken }: Pick<Moment, 'isReady' | 'isBroken'>): RouteView[] {
    const link: LinkEstimates = this.#link.at(nowMs);
    return this.#routes.map((route) => ({
      route,
      price: this.#costs.price(route, link, nowMs),
      isReady: !isRemote({ route }) || isReady(route.name),
      isBroken: isRemote({ route }) && isBroken(route.name),
    }));
  }

  /** The best that is known; else all on the device, which measures it; else as much of it there as can be. */
  #firstRoute(views: readonly RouteView[]): string {
    const allowed = views.filter(({ route }) => route.refusal === null);
    const known = allowed.filter(({ price, isReady, route }) => price !== null && isReady && route.kind !== 'small');
    const best = known.sort((left, right) => (left.price?.ms ?? 0) - (right.price?.ms ?? 0))[0];
    const here = allowed.find(({ route }) => route.kind === 'edge');
    const chain = allowed.filter(({ route }) => route.kind !== 'small');
    const most = chain.filter(({ isReady }) => isReady).at(-1) ?? chain.at(-1);
    return (best ?? here ?? most ?? allowed[0] ?? views[0])?.route.name ?? 'edge';
  }
}

function rateOf(msPerByte: Estimate | null): Estimate | null {
  if (msPerByte === null || msPerByte.value <= 0) return null;
  const value = 8000 / msPerByte.value;
  const share = value / msPerByte.value;
  return { ...msPerByte, value, spread: msPerByte.spread * share, error: msPerByte.error * share };
}
