// A chain on the device and the same chain in a cloud -> `infer`, where each frame takes the route that is best now.
import { type Clock, KerfError, type LoadedModel, systemClock, type TensorSpec } from '@kerf/protocol';
import type { CloudTarget } from '../link/cloud-link.ts';
import type { CloudState, InferOptions, SessionSnapshot } from '../session/edge-session.ts';
import { checkInputs, type FrameInputs, isImage } from '../session/inputs.ts';
import { type EdgeSessionOptions, resolveEdgeSessionOptions } from '../session/options.ts';
import type { FrameResult, Outcome } from '../session/outcome.ts';
import type { SessionStatus, StatusListener } from '../session/status.ts';
import type { OpenedChain } from './chain-files.ts';
import type { CutCoding } from './chain-parts.ts';
import { chainPriors } from './chain-priors.ts';
import type { RoutePrior } from './cost-book.ts';
import { joined, later } from './frame-account.ts';
import { LinkProber } from './link-prober.ts';
import type { PlacementOptions } from './options.ts';
import { type Assignment, Pilot, type PlacementEstimates, type RouteSwitch } from './pilot.ts';
import { RouteRuns } from './route-runs.ts';
import { RouteSessions } from './route-sessions.ts';
import { type Route, type RouteConstraints, refusalText, routesOf } from './routes.ts';
import { type RunCount, timedSegment } from './timed-segment.ts';

/** The small model answers first; a frame that it is not sure of goes on to the route of now. */
export interface CascadePolicy {
  /** Whether the small model's answer stands. */
  isSure(answer: FrameResult): boolean;
}

/** What runs where, and what must hold. The models stay the caller's to dispose of, after `close`. */
export interface PlacedSessionConfig {
  readonly chain: OpenedChain;
  /** The cloud that serves the same chain; null when the device runs everything. */
  readonly cloud: CloudTarget | null;
  /** A smaller model of the same inputs, for frames that neither cloud nor chain can answer in time. */
  readonly small?: LoadedModel | null;
  /** How what crosses a cut is coded, by the number of segments on the device. @default as the chain says */
  readonly codings?: ReadonlyMap<number, CutCoding>;
  readonly constraints?: RouteConstraints;
  /** What a plan expects of routes, by name. @default what the profiles that chose the chain's cuts expect */
  readonly priors?: ReadonlyMap<string, RoutePrior>;
  /** The link as it was measured before. */
  readonly link?: { readonly uplinkBitsPerSecond: number; readonly roundTripMs: number };
  /** Needs `small`. @default none */
  readonly cascade?: CascadePolicy | null;
  /** Of the session of each route. */
  readonly options?: Partial<EdgeSessionOptions>;
  readonly placement?: Partial<PlacementOptions>;
}

type RoutedOutcome = Outcome & {
  /** The route that the frame was given to; `small` where the small model's answer was used. */
  readonly route: string;
  /** Whether the frame was to find out what the route takes. */
  readonly isTrial: boolean;
};

/** A session's outcome and the route behind it. */
export type PlacedOutcome = RoutedOutcome & {
  /** With a cascade: what the small model said, and whether the frame went on. */
  readonly cascade: { readonly small: Outcome; readonly isEscalated: boolean } | null;
};

export interface PlacedSnapshot extends SessionSnapshot {
  /** Where frames go; null before the first. */
  readonly route: string | null;
  readonly estimates: PlacementEstimates;
}

/** How often the link's age and idle sessions are looked at. */
const LOOK_MS = 500;
/** Of a deadline, kept for the small model where the rest of the chain is not here; and at least so long. */
const SMALL_SHARE = 0.2;

export class PlacedSession {
  readonly routes: readonly Route[];
  readonly #config: PlacedSessionConfig;
  readonly #clock: Clock;
  readonly #pilot: Pilot;
  readonly #sessions: RouteSessions;
  readonly #runs: RouteRuns;
  readonly #prober: LinkProber;
  readonly #deadlineMs: number;
  readonly #listeners = new Set<StatusListener>();
  readonly #switchListeners = new Set<(change: RouteSwitch) => void>();
  #lastStatus: SessionStatus;
  #lastFrame = -1;
  #cancelTimer: () => void = () => {};
  #closed = false;

  private constructor(config: PlacedSessionConfig) {
    const { chain, cloud, small = null, cascade = null, constraints, placement, options } = config;
    if (cascade !== null && small === null) throw new KerfError('INVALID_ARGUMENT', 'a cascade needs a small model');
    this.#config = config;
    this.#clock = options?.clock ?? systemClock;
    this.#deadlineMs = resolveEdgeSessionOptions(options).deadlineMs;
    this.routes = routesOf({
      chain: chain.chain,
      resident: chain.segments.length,
      hasCloud: cloud !== null,
      hasSmall: small !== null,
      ...(constraints === undefined ? {} : { constraints }),
    });
    if (this.routes.every(({ refusal }) => refusal !== null)) {
      const why = this.routes
        .flatMap(({ name, refusal }) => (refusal === null ? [] : [`${name}: ${refusalText(refusal)}`]))
        .join('; ');
      throw new KerfError('INVALID_ARGUMENT', `no route is left for a frame (${why || 'no cloud and no whole chain'})`);
    }
    this.#pilot = new Pilot({
      routes: this.routes,
      segments: chain.chain.segments.length,
      priors: config.priors ?? chainPriors(chain.chain),
      ...(placement === undefined ? {} : { options: placement }),
    });
    if (config.link !== undefined) this.#pilot.expectLink(config.link, this.#clock.nowMs());
    this.#lastStatus = cloud === null ? { kind: 'local' } : { kind: 'connecting', attempt: 0 };
    this.#sessions = this.#routeSessions();
    this.#runs = new RouteRuns(this.#pilot, this.#sessions, this.#clock);
    this.#prober = new LinkProber(this.#pilot, this.#sessions, this.#clock);
  }

  /**
   * A session that begins to connect. It does not wait for the cloud.
   * @throws {KerfError} INVALID_ARGUMENT when nothing is left that a frame could take; PAIR_MISMATCH.
   */
  static async open(config: PlacedSessionConfig): Promise<PlacedSession> {
    const session = new PlacedSession(config);
    await session.#start();
    return session;
  }

  /** What `infer` takes. */
  get inputs(): readonly TensorSpec[] {
    const specs = new Map(this.#config.chain.chain.tensors.map((spec) => [spec.name, spec]));
    return this.#config.chain.chain.modelInputs.map((name) => specs.get(name) ?? { name, dtype: null, shape: null });
  }

  get snapshot(): PlacedSnapshot {
    const all = this.#sessions.all.map(({ snapshot }) => snapshot);
    const sum = (pick: (one: SessionSnapshot) => number): number => all.reduce((total, one) => total + pick(one), 0);
    const estimates = this.#pilot.estimates(this.#clock.nowMs());
    return {
      status: this.#lastStatus,
      roundTripMs: estimates.roundTripMs?.value ?? null,
      unfinishedFrames: sum(({ unfinishedFrames }) => unfinishedFrames),
      inFlightFrames: sum(({ inFlightFrames }) => inFlightFrames),
      nonFiniteValues: sum(({ nonFiniteValues }) => nonFiniteValues),
      route: this.#pilot.route,
      estimates,
    };
  }

  /** Switches so far, the newest last. */
  get history(): readonly RouteSwitch[] {
    return this.#pilot.history;
  }

  /** Calls `listener` when the cloud comes, goes or is lost on all routes; the returned function ends that. */
  onStatus(listener: StatusListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` at each switch; the returned function ends that. */
  onSwitch(listener: (change: RouteSwitch) => void): () => void {
    this.#switchListeners.add(listener);
    return () => this.#switchListeners.delete(listener);
  }

  /** The route of {@link pin}; null while the controller chooses. */
  get pinned(): string | null {
    return this.#pilot.pinned;
  }

  /** All frames take this route, for as long as it can be taken; null leaves it to the controller. @throws {KerfError} INVALID_ARGUMENT. */
  pin(name: string | null): void {
    const route = this.routes.find((other) => other.name === name);
    if (name !== null && route === undefined) {
      const names = this.routes.map((other) => other.name).join(', ');
      throw new KerfError('INVALID_ARGUMENT', `there is no route '${name}'; routes are ${names}`);
    }
    if (route !== undefined && route.refusal !== null) {
      throw new KerfError('INVALID_ARGUMENT', `${route.name} may not be taken: ${refusalText(route.refusal)}`);
    }
    this.#pilot.pin(name);
  }

  /** Resolves when the cloud is connected, at a lasting fault, or after `timeoutMs`; never rejects. */
  async waitForCloud(timeoutMs: number): Promise<CloudState> {
    const { watching } = this.#sessions;
    if (watching !== null) return watching.waitForCloud(timeoutMs);
    return { connected: false, code: 'INVALID_ARGUMENT', message: 'the session has no cloud' };
  }

  /**
   * Runs one frame on the route that is best now. A frame ends on the route on which it began, or on the device where that
   * route fails it. The tensors must not change until then.
   * @throws {KerfError} TENSOR_MISMATCH, INVALID_ARGUMENT when the call itself is wrong; everything else is an outcome.
   */
  async infer(inputs: FrameInputs, options: InferOptions = {}): Promise<PlacedOutcome> {
    checkInputs(inputs, this.inputs);
    const deadlineMs = options.deadlineMs ?? this.#deadlineMs;
    resolveEdgeSessionOptions({ deadlineMs });
    const frame = this.#nextFrame(options.frame);
    const startMs = this.#clock.nowMs();
    const { cascade = null } = this.#config;
    if (cascade === null) return { ...(await this.#place(inputs, { ...options, deadlineMs })), frame, cascade: null };
    const small = await this.#runSmall(inputs, { ...options, deadlineMs });
    const isEscalated = small.kind === 'failed' || !cascade.isSure(small);
    const leftMs = deadlineMs - (this.#clock.nowMs() - startMs);
    if (!isEscalated || leftMs < 1) {
      return { ...small, frame, route: 'small', isTrial: false, cascade: { small, isEscalated: false } };
    }
    const placed = await this.#place(inputs, { ...options, deadlineMs: leftMs });
    return { ...later(small.spans, placed), frame, cascade: { small, isEscalated } };
  }

  /** Ends every frame with CLOSED and leaves the cloud. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimer();
    this.#sessions.close();
    this.#tell({ kind: 'closed' });
    this.#listeners.clear();
    this.#switchListeners.clear();
  }

  async #start(): Promise<void> {
    // A session to the cloud from the beginning: it tells the round trip, and probes can go over it.
    const first = this.routes.find(({ kind, refusal }) => kind === 'split' && refusal === null);
    const watching = first ?? this.routes.find(({ kind, refusal }) => kind === 'cloud' && refusal === null);
    if (watching !== undefined) await this.#sessions.open(watching);
    this.#look();
  }

  #routeSessions(): RouteSessions {
    const { chain, cloud, small = null, codings = chain.codings, options } = this.#config;
    const count: RunCount = { running: 0 };
    const segments = chain.segments.map((model, at) =>
      timedSegment(model, this.#clock, count, (outputs, ms) => {
        this.#pilot.onTensors(outputs);
        if (ms !== null) this.#pilot.onSegment(at, ms, this.#clock.nowMs());
      }),
    );
    const { pingIntervalMs, idleCloseMs } = this.#pilot.options;
    return new RouteSessions({
      routes: this.routes,
      chain: { ...chain, segments },
      cloud,
      small,
      codings,
      idleCloseMs,
      options: { pingIntervalMs, ...options, clock: this.#clock },
      onStatus: (_, status) => this.#onStatus(status),
      onRoundTrip: (ms) => {
        this.#pilot.onRoundTrip(ms, this.#clock.nowMs());
        void this.#prober.probe();
      },
    });
  }

  #onStatus(status: SessionStatus): void {
    if (status.kind !== 'connecting' && status.kind !== 'connected') this.#runs.disturb();
    // A link that is lost on one route and stands on another is there.
    if (status.kind !== 'connected' && this.#sessions.isCloudThere) return;
    if (status.kind === 'connected' && this.#lastStatus.kind === 'connected') return;
    if (!this.#closed) this.#tell(status);
  }

  #tell(status: SessionStatus): void {
    this.#lastStatus = status;
    for (const listener of this.#listeners) void Promise.resolve(status).then(listener);
  }

  #nextFrame(given: number | undefined): number {
    const frame = given ?? this.#lastFrame + 1;
    if (!Number.isSafeInteger(frame) || frame <= this.#lastFrame) {
      const what = `frame ids are whole numbers that grow; ${frame} does not follow ${this.#lastFrame}`;
      throw new KerfError('INVALID_ARGUMENT', what);
    }
    this.#lastFrame = frame;
    return frame;
  }

  async #place(inputs: FrameInputs, options: InferOptions & { readonly deadlineMs: number }): Promise<RoutedOutcome> {
    const { deadlineMs } = options;
    this.#pilot.onTensors([...inputs].flatMap(([name, input]) => (isImage(input) ? [] : [[name, input] as const])));
    const assignment = this.#assign(deadlineMs);
    const route = this.#routeOf(assignment.route);
    const small = this.#config.small ?? null;
    const holdsAll = this.#config.chain.segments.length === this.#config.chain.chain.segments.length;
    // Where the chain cannot be finished here, the small model needs its time before the deadline.
    const needsSmall = small !== null && !holdsAll && route.kind !== 'small';
    const routeDeadlineMs = needsSmall ? deadlineMs * (1 - SMALL_SHARE) : deadlineMs;
    const outcome = await this.#runs.run(route, assignment, inputs, { ...options, deadlineMs: routeDeadlineMs });
    const { isTrial } = assignment;
    if (!needsSmall || outcome.kind === 'result' || outcome.code === 'CANCELLED' || outcome.code === 'CLOSED') {
      return { ...outcome, route: route.name, isTrial };
    }
    const instead = await this.#runSmall(inputs, {
      ...options,
      deadlineMs: Math.max(1, deadlineMs - outcome.spans.totalMs),
    });
    if (instead.kind === 'failed') return { ...later(instead.spans, outcome), route: route.name, isTrial };
    return { ...joined(outcome, instead), fallbackReason: outcome.code, route: 'small', isTrial };
  }

  #assign(deadlineMs: number): Assignment {
    const assignment = this.#pilot.assign({
      nowMs: this.#clock.nowMs(),
      deadlineMs,
      isCloudThere: this.#sessions.isCloudThere,
      isReady: (name) => this.#sessions.isReady(name),
      isBroken: (name) => this.#sessions.isBroken(name),
    });
    if (assignment.wanted !== null) void this.#sessions.open(this.#routeOf(assignment.wanted)).catch(() => {});
    const { switched } = assignment;
    if (switched !== null) for (const listener of this.#switchListeners) listener(switched);
    return assignment;
  }

  #routeOf(name: string): Route {
    const route = this.routes.find((other) => other.name === name);
    if (route === undefined) throw new KerfError('INTERNAL', `no route '${name}'`);
    return route;
  }

  async #runSmall(inputs: FrameInputs, options: InferOptions): Promise<Outcome> {
    return this.#runs.run(this.#routeOf('small'), { isTrial: false, patienceMs: null }, inputs, options);
  }

  /** Now and then: probes a link of which little is known, and closes what nobody uses. */
  #look(): void {
    if (this.#closed) return;
    void this.#prober.probe();
    this.#sessions.closeIdle(this.#pilot.route);
    this.#cancelTimer = this.#clock.after(LOOK_MS, () => this.#look());
  }
}
