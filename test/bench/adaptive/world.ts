// A trace, true costs of routes and a policy -> every frame's latency, in simulated time.
import type { RoutePrior } from '@kerf/edge-runtime';
import { type Random, seededRandom } from '@kerf/protocol';
import type { Trace } from './traces.ts';

/** What a frame costs on a route; `edgeMs` grows with the segments on the device, the last route being all of them. */
export interface TrueRoute extends RoutePrior {
  readonly name: string;
  readonly isRemote: boolean;
  /** Segments on the device. */
  readonly at: number;
}

export interface WorldOptions {
  readonly trace: Trace;
  readonly routes: readonly TrueRoute[];
  /** Of the whole chain, one by one. */
  readonly segmentMs: readonly number[];
  readonly periodMs: number;
  readonly deadlineMs: number;
  readonly seed: number;
}

/** What became of a frame. */
export interface SimulatedFrame {
  readonly route: string;
  readonly startMs: number;
  readonly latencyMs: number;
  /** The device finished it, since no answer would have come in time. */
  readonly isFallback: boolean;
  readonly queueMs: number;
  readonly headMs: number;
  readonly encodeMs: number;
  /** Between sending and receiving, the cloud's time included. */
  readonly awayMs: number;
  readonly cloudMs: number;
  readonly cloudQueueMs: number;
  readonly localMs: number;
  /** Times of the segments that ran on the device. */
  readonly segments: readonly { readonly at: number; readonly ms: number }[];
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly endMs: number;
}

/** How policies see the world. */
export interface Policy {
  readonly name: string;
  /** The route for a frame that comes now. */
  choose(nowMs: number): string | { readonly route: string; readonly patienceMs: number | null };
  /** The device begins to finish a frame that has no answer yet. */
  onLate?(startMs: number): void;
  onFrame?(frame: SimulatedFrame): void;
  onRoundTrip?(ms: number, nowMs: number): void;
  /** Asked now and then while nothing crosses: bytes to probe with, or null. */
  probe?(nowMs: number): number | null;
  onProbe?(bytes: number, elapsedMs: number, nowMs: number): void;
}

/** Variation of every time from frame to frame, as a share. */
const NOISE = 0.06;
/** Of frames that take three times as long on the device, as when another process wakes. */
const STALL_SHARE = 0.005;
const LOOK_MS = 500;
const PING_MS = 1000;
/** Kept before the deadline for the rest on the device, as EdgeSession does it. */
const RESERVE_FACTOR = 1.5;
const RESERVE_MS = 5;

export class World {
  readonly #options: WorldOptions;
  readonly #random: Random;
  #edgeFreeMs = 0;
  #uplinkFreeMs = 0;
  #nextLookMs = 0;
  #nextPingMs = 0;
  #waiting: { readonly atMs: number; tell(): void }[] = [];

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  /** Latency of each frame, ms. */
  run(policy: Policy): SimulatedFrame[] {
    const { trace, periodMs } = this.#options;
    const frames: SimulatedFrame[] = [];
    const count = Math.floor((trace.seconds.length * 1000) / periodMs);
    for (let at = 0; at < count; at++) {
      const nowMs = at * periodMs;
      this.#until(nowMs, policy);
      const choice = policy.choose(nowMs);
      const { route, patienceMs } = typeof choice === 'string' ? { route: choice, patienceMs: null } : choice;
      const frame = this.#frame(route, nowMs, patienceMs ?? Number.POSITIVE_INFINITY, policy);
      frames.push(frame);
      this.#waiting.push({ atMs: frame.endMs, tell: () => policy.onFrame?.(frame) });
    }
    return frames;
  }

  /** What a frame would take that finds everything free and nothing noisy: the best of it over all routes is the oracle. */
  unloadedMs(name: string, nowMs: number): number {
    const route = this.#route(name);
    const { deadlineMs } = this.#options;
    if (!route.isRemote) return route.edgeMs;
    const sentMs = nowMs + route.edgeMs + route.encodeMs;
    const { roundTripMs, queueMs } = this.#second(sentMs);
    const carriedMs = this.#carried(sentMs, route.uplinkBytes);
    const downMs = this.#carried(carriedMs, route.downlinkBytes) - carriedMs;
    const latencyMs = carriedMs - nowMs + roundTripMs + queueMs + route.cloudMs + downMs;
    const restMs = this.#restMs(route);
    return Math.min(latencyMs, deadlineMs - restMs * RESERVE_FACTOR - RESERVE_MS + restMs);
  }

  #route(name: string): TrueRoute {
    const route = this.#options.routes.find((other) => other.name === name);
    if (route === undefined) throw new Error(`no route ${name}`);
    return route;
  }

  #restMs({ at }: TrueRoute): number {
    return this.#options.segmentMs.slice(at).reduce((sum, ms) => sum + ms, 0);
  }

  #second(ms: number): Trace['seconds'][number] {
    const { seconds } = this.#options.trace;
    const last = seconds.at(-1);
    if (last === undefined) throw new Error('an empty trace');
    return seconds[Math.min(seconds.length - 1, Math.max(0, Math.floor(ms / 1000)))] ?? last;
  }

  /** When bytes that begin to cross at `fromMs` are through. */
  #carried(fromMs: number, bytes: number): number {
    let left = bytes * 8;
    let atMs = fromMs;
    for (let steps = 0; left > 0 && steps < 4000; steps++) {
      const endMs = (Math.floor(atMs / 1000) + 1) * 1000;
      const bitsPerMs = this.#second(atMs).bitsPerSecond / 1000;
      const canMs = endMs - atMs;
      if (bitsPerMs * canMs >= left) return atMs + left / bitsPerMs;
      left -= bitsPerMs * canMs;
      atMs = endMs;
    }
    return atMs;
  }

  #noisy(ms: number): number {
    const gauss = Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
    return ms * Math.exp(NOISE * gauss);
  }

  /** Everything that happens before `nowMs`, in order. */
  #until(nowMs: number, policy: Policy): void {
    for (;;) {
      this.#waiting.sort((left, right) => left.atMs - right.atMs);
      const event = this.#waiting[0];
      const nextMs = Math.min(this.#nextLookMs, this.#nextPingMs);
      if (event !== undefined && event.atMs <= Math.min(nowMs, nextMs)) {
        this.#waiting.shift();
        event.tell();
      } else if (nextMs <= nowMs) {
        this.#tick(nextMs, policy);
      } else {
        return;
      }
    }
  }

  #tick(nowMs: number, policy: Policy): void {
    if (nowMs >= this.#nextPingMs) {
      this.#nextPingMs += PING_MS;
      const throughMs = this.#carried(Math.max(nowMs, this.#uplinkFreeMs), 40);
      const elapsedMs = throughMs - nowMs + this.#noisy(this.#second(throughMs).roundTripMs);
      const tell = (): void => {
        policy.onRoundTrip?.(elapsedMs, nowMs + elapsedMs);
        this.#probe(nowMs + elapsedMs, policy);
      };
      this.#waiting.push({ atMs: nowMs + elapsedMs, tell });
    }
    if (nowMs >= this.#nextLookMs) {
      this.#nextLookMs += LOOK_MS;
      this.#probe(nowMs, policy);
    }
  }

  #probe(nowMs: number, policy: Policy): void {
    const bytes = policy.probe?.(nowMs) ?? null;
    if (bytes === null) return;
    const throughMs = this.#carried(Math.max(nowMs, this.#uplinkFreeMs), bytes);
    this.#uplinkFreeMs = throughMs;
    const elapsedMs = throughMs - nowMs + this.#noisy(this.#second(throughMs).roundTripMs);
    this.#waiting.push({ atMs: nowMs + elapsedMs, tell: () => policy.onProbe?.(bytes, elapsedMs, nowMs + elapsedMs) });
  }

  #frame(name: string, startMs: number, patienceMs: number, policy: Policy): SimulatedFrame {
    const route = this.#route(name);
    const { segmentMs, deadlineMs } = this.#options;
    const stall = this.#random() < STALL_SHARE ? 3 : 1;
    const segments = segmentMs.slice(0, route.at).map((ms, at) => ({ at, ms: this.#noisy(ms) * stall }));
    const headMs = segments.reduce((sum, { ms }) => sum + ms, 0);
    const headStartMs = Math.max(startMs, this.#edgeFreeMs);
    const headEndMs = headStartMs + headMs;
    this.#edgeFreeMs = headEndMs;
    const base = { route: name, startMs, queueMs: headStartMs - startMs, segments };
    if (!route.isRemote) {
      const away = { awayMs: 0, cloudMs: 0, cloudQueueMs: 0, bytesUp: 0, bytesDown: 0, headMs: 0, encodeMs: 0 };
      return { ...base, ...away, localMs: headMs, latencyMs: headEndMs - startMs, isFallback: false, endMs: headEndMs };
    }
    const encodeMs = this.#noisy(route.encodeMs);
    const sentMs = headEndMs + encodeMs;
    const carriedMs = this.#carried(Math.max(sentMs, this.#uplinkFreeMs), route.uplinkBytes);
    this.#uplinkFreeMs = carriedMs;
    const { roundTripMs, queueMs } = this.#second(carriedMs);
    const cloudQueueMs = queueMs * (0.5 + this.#random());
    const cloudMs = this.#noisy(route.cloudMs) + cloudQueueMs;
    const downMs = this.#carried(carriedMs, route.downlinkBytes) - carriedMs;
    const answerMs = carriedMs + this.#noisy(roundTripMs) + cloudMs + downMs;
    const bytes = { bytesUp: route.uplinkBytes, bytesDown: route.downlinkBytes };
    const restMs = this.#restMs(route);
    const turnMs = Math.min(sentMs + patienceMs, startMs + deadlineMs - restMs * RESERVE_FACTOR - RESERVE_MS);
    if (answerMs <= turnMs || restMs === 0) {
      const parts = { headMs, encodeMs, awayMs: answerMs - sentMs, cloudMs, cloudQueueMs, localMs: 0 };
      return { ...base, ...bytes, ...parts, latencyMs: answerMs - startMs, isFallback: false, endMs: answerMs };
    }
    this.#waiting.push({ atMs: turnMs, tell: () => policy.onLate?.(startMs) });
    const localMs = this.#noisy(restMs);
    const beginMs = Math.max(turnMs, headEndMs, this.#edgeFreeMs);
    const endMs = beginMs + localMs;
    this.#edgeFreeMs = endMs;
    const awayMs = Math.max(0, beginMs - sentMs);
    if (answerMs < endMs) {
      // Whichever is first.
      const parts = { headMs, encodeMs, awayMs: answerMs - sentMs, cloudMs, cloudQueueMs, localMs: 0 };
      return { ...base, ...bytes, ...parts, latencyMs: answerMs - startMs, isFallback: false, endMs: answerMs };
    }
    const parts = { headMs, encodeMs, awayMs, cloudMs: 0, cloudQueueMs: 0, localMs };
    return { ...base, ...bytes, bytesDown: 0, ...parts, latencyMs: endMs - startMs, isFallback: true, endMs };
  }
}
