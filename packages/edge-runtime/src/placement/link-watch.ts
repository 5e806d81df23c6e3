// Frames, pings and probes over the link of one device -> what is known of it, whether it is silent, and what to probe next.
import { type Crossed, type LinkEstimates, LinkEstimator, type Unanswered } from './link-estimator.ts';
import type { PlacementOptions } from './options.ts';
import { type ProbeSize, Probing } from './probing.ts';

/** A link from which nothing came for so many pings carried nothing. */
const SILENT_PINGS = 2;
/** As which a link is told that was measured before. */
const EXPECTED_BYTES = 65_536;

export class LinkWatch {
  readonly #options: PlacementOptions;
  readonly #isHeld: () => boolean;
  readonly #estimator = new LinkEstimator();
  readonly #probing: Probing;
  #lastHeardMs = Number.NEGATIVE_INFINITY;

  /** @param isHeld whether frames are kept off the link because it failed them. */
  constructor(options: PlacementOptions, isHeld: () => boolean) {
    this.#options = options;
    this.#isHeld = isHeld;
    this.#probing = new Probing(options);
  }

  /** When something came from the cloud last. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  /** Frames and probes that pings may have to wait for. */
  get underWay(): number {
    return this.#estimator.underWay;
  }

  at(nowMs: number): LinkEstimates {
    return this.#estimator.at(nowMs);
  }

  /** The link as a profile states it, until frames tell better. */
  expect(link: { readonly uplinkBitsPerSecond: number; readonly roundTripMs: number }, nowMs: number): void {
    this.#estimator.onRoundTrip(link.roundTripMs, nowMs);
    const elapsedMs = link.roundTripMs + (EXPECTED_BYTES * 8000) / link.uplinkBitsPerSecond;
    this.#estimator.onProbe(EXPECTED_BYTES, 0, elapsedMs, nowMs);
  }

  /** A frame is on its way that pings may have to wait for; the returned function says that it has an outcome. */
  occupy(nowMs: number): (endMs: number) => void {
    return this.#estimator.occupy(nowMs);
  }

  onCrossed(frame: Crossed): void {
    this.#estimator.onCrossed(frame);
  }

  onUnanswered(frame: Unanswered): void {
    this.#estimator.onUnanswered(frame);
  }

  onRoundTrip(ms: number, nowMs: number): void {
    this.heard(nowMs);
    this.#estimator.onRoundTrip(ms, nowMs);
  }

  onProbe({ upBytes, downBytes }: ProbeSize, elapsedMs: number, nowMs: number): void {
    this.heard(nowMs);
    this.#estimator.onProbe(upBytes, downBytes, elapsedMs, nowMs);
  }

  /** Something came from the cloud. After a silence in which frames were failed, the link is looked at anew. */
  heard(nowMs: number): void {
    const { pingIntervalMs, probeBytesPerMinute } = this.#options;
    const roundTripMs = this.at(nowMs).roundTripMs?.value ?? 0;
    const silentMs = nowMs - this.#lastHeardMs;
    if (this.#isHeld() && probeBytesPerMinute > 0 && silentMs > SILENT_PINGS * pingIntervalMs + roundTripMs) {
      this.#estimator.awaken(nowMs);
      this.#probing.wake();
    }
    this.#lastHeardMs = Math.max(this.#lastHeardMs, nowMs);
  }

  /** A probe to send now, or null; its bytes are counted as sent. @param downlinkBytes of a frame's answer. */
  probeDue(downlinkBytes: number, nowMs: number): ProbeSize | null {
    if (this.underWay > 0) return null;
    return this.#probing.due(this.at(nowMs), downlinkBytes, nowMs);
  }
}
