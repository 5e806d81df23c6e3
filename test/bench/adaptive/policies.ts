// Routes and what a profile expects of them -> policies: one route for ever, the last estimate, kerf's controller.
import { Pilot, type PlacementOptions, type Route, type RoutePrior } from '@kerf/edge-runtime';
import type { Policy, SimulatedFrame } from './world.ts';

/** Always the same route. */
export function fixed(name: string): Policy {
  return { name: `always ${name}`, choose: () => name };
}

/**
 * As Neurosurgeon decides: the least latency by the profile and the last estimate of bandwidth and round trip, for every
 * frame anew, without memory or margin. It gets the same pings and probes as the controller.
 */
export function lastEstimate(routes: readonly Route[], priors: ReadonlyMap<string, RoutePrior>): Policy {
  let msPerByte = 8000 / 10e6;
  let roundTripMs = 50;
  let estimatedMs = Number.NEGATIVE_INFINITY;
  const sent = new Map<string, number>(routes.map(({ name }) => [name, priors.get(name)?.uplinkBytes ?? 0]));
  const learn = (wireMs: number, bytes: number, nowMs: number): void => {
    if (bytes < 500) return;
    msPerByte = Math.max(wireMs, 0.05) / bytes;
    estimatedMs = nowMs;
  };
  return {
    name: 'last estimate, no memory',
    choose() {
      const price = (name: string): number => {
        const prior = priors.get(name);
        if (prior === undefined) return Number.POSITIVE_INFINITY;
        const away = prior.uplinkBytes === 0 ? 0 : prior.uplinkBytes * msPerByte + roundTripMs + prior.cloudMs;
        return prior.edgeMs + (prior.uplinkBytes === 0 ? 0 : prior.encodeMs) + away;
      };
      const names = routes.map(({ name }) => name).sort((left, right) => price(left) - price(right));
      return names[0] ?? 'edge';
    },
    onFrame(frame: SimulatedFrame) {
      const bytes = sent.get(frame.route) ?? 0;
      if (bytes === 0) return;
      learn(frame.awayMs - frame.cloudMs - (frame.isFallback ? 0 : roundTripMs), bytes, frame.endMs);
    },
    onRoundTrip(ms) {
      roundTripMs = ms;
    },
    probe: (nowMs) => (nowMs - estimatedMs >= 2500 ? 16_384 : null),
    onProbe: (bytes, elapsedMs, nowMs) => learn(elapsedMs - roundTripMs, bytes, nowMs),
  };
}

/** The controller, driven as a session drives it. */
export function controller(
  routes: readonly Route[],
  segments: number,
  priors: ReadonlyMap<string, RoutePrior> | null,
  deadlineMs: number,
  options: Partial<PlacementOptions> = {},
): Policy & { readonly pilot: Pilot } {
  const pilot = new Pilot({ routes, segments, options, ...(priors === null ? {} : { priors }) });
  const started = new Map<number, { readonly route: string; readonly isTrial: boolean; wasLate: boolean }>();
  const frees = new Map<number, (endMs: number) => void>();
  let probeFree: ((endMs: number) => void) | null = null;
  return {
    name: priors === null ? 'kerf, without a profile' : 'kerf',
    pilot,
    choose(nowMs) {
      const moment = { nowMs, deadlineMs, isCloudThere: true, isReady: () => true, isBroken: () => false };
      const { route, isTrial, patienceMs } = pilot.assign(moment);
      started.set(nowMs, { route, isTrial, wasLate: false });
      if (route !== 'edge') frees.set(nowMs, pilot.occupy(nowMs));
      return { route, patienceMs };
    },
    onLate(startMs) {
      const frame = started.get(startMs);
      if (frame === undefined) return;
      frame.wasLate = true;
      pilot.onLate(frame);
    },
    onFrame(frame) {
      for (const { at, ms } of frame.segments) pilot.onSegment(at, ms, frame.endMs);
      const { isTrial = false, wasLate = false } = started.get(frame.startMs) ?? {};
      started.delete(frame.startMs);
      frees.get(frame.startMs)?.(frame.endMs);
      frees.delete(frame.startMs);
      const { queueMs, headMs, encodeMs, awayMs, cloudMs, cloudQueueMs, localMs, latencyMs } = frame;
      const isRemote = frame.route !== 'edge';
      const cloud =
        isRemote && !frame.isFallback
          ? { queueMs: cloudQueueMs, decodeMs: 0, computeMs: cloudMs - cloudQueueMs, totalMs: cloudMs, batchRows: 1 }
          : null;
      pilot.onOutcome(
        {
          route: frame.route,
          isTrial,
          wasLate,
          startMs: frame.startMs,
          spans: {
            queueMs,
            headMs,
            encodeMs,
            wayDown: null,
            networkMs: awayMs - cloudMs,
            cloudMs,
            decodeMs: 0,
            localMs,
            totalMs: latencyMs,
            cloud,
          },
          bytesUp: frame.bytesUp,
          bytesDown: frame.bytesDown,
          failure: frame.isFallback ? 'DEADLINE_EXCEEDED' : null,
          isDisturbed: false,
        },
        frame.endMs,
      );
    },
    onRoundTrip: (ms, nowMs) => pilot.onRoundTrip(ms, nowMs),
    probe(nowMs) {
      const size = pilot.probeDue(nowMs);
      if (size === null) return null;
      probeFree = pilot.occupy(nowMs);
      return size.upBytes + size.downBytes;
    },
    onProbe(bytes, elapsedMs, nowMs) {
      probeFree?.(nowMs);
      probeFree = null;
      pilot.onProbe({ upBytes: bytes, downBytes: 0 }, elapsedMs, nowMs);
    },
  };
}
