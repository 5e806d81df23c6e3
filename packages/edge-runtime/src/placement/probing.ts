// What is known of the link and how old it is -> whether to probe it now, and with how many bytes.
import type { LinkEstimates } from './link-estimator.ts';
import type { PlacementOptions } from './options.ts';

export interface ProbeSize {
  readonly upBytes: number;
  readonly downBytes: number;
}

/** Time that a probe should be on the wire: a good sample at a price that frames hardly notice. */
const WIRE_MS = 40;
/** Where nothing is known. */
const FIRST_BYTES = 8_192;
/** A link that was too fast to tell gets so many times the bytes. */
const GROWTH = 4;
/** What the last probe left open is asked again after this share of the time. */
const PRESSING = 0.3;
const MINUTE_MS = 60_000;

/** Keeps the time of the last probe and the bytes that may still be sent. */
export class Probing {
  readonly #options: PlacementOptions;
  #allowedBytes: number;
  #refilledMs: number | null = null;
  #lastMs = Number.NEGATIVE_INFINITY;
  #lastBytes = 0;
  #count = 0;

  constructor(options: PlacementOptions) {
    this.#options = options;
    this.#allowedBytes = options.probeBytesPerMinute / 6;
  }

  /** Nothing is known of the link any more: the next probe need not wait. */
  wake(): void {
    this.#lastMs = Number.NEGATIVE_INFINITY;
    this.#lastBytes = 0;
  }

  /** Null: not now. @param downlinkBytes of a frame's answer: large ones make the way back worth a look. */
  due(link: LinkEstimates, downlinkBytes: number, nowMs: number): ProbeSize | null {
    const { probeAgeMs, maxProbeBytes } = this.#options;
    const { upMsPerByte, downMsPerByte, roundTripMs, isFloor, isInDoubt } = link;
    const isPressing = isFloor || isInDoubt;
    const pauseMs = isPressing ? probeAgeMs * PRESSING : probeAgeMs;
    if (roundTripMs === null || nowMs - this.#lastMs < pauseMs) return null;
    const isOld = upMsPerByte === null || upMsPerByte.ageMs >= pauseMs;
    if (!isOld && !isFloor) return null;
    const looksBack = downlinkBytes >= FIRST_BYTES && this.#count % 2 === 1;
    const known = looksBack ? (downMsPerByte ?? upMsPerByte) : upMsPerByte;
    const wanted = known === null ? FIRST_BYTES : WIRE_MS / Math.max(known.value, 1e-9);
    const grown = isFloor && !looksBack ? Math.max(wanted, this.#lastBytes * GROWTH) : wanted;
    const bytes = Math.round(Math.min(maxProbeBytes, Math.max(1_024, grown)));
    return this.#take(bytes, nowMs) ? this.#size(bytes, looksBack, nowMs) : null;
  }

  #size(bytes: number, looksBack: boolean, nowMs: number): ProbeSize {
    this.#lastMs = nowMs;
    this.#count++;
    if (looksBack) return { upBytes: 0, downBytes: bytes };
    this.#lastBytes = bytes;
    return { upBytes: bytes, downBytes: 0 };
  }

  #take(bytes: number, nowMs: number): boolean {
    const { probeBytesPerMinute } = this.#options;
    const sinceMs = nowMs - (this.#refilledMs ?? nowMs);
    this.#refilledMs = nowMs;
    const refill = (sinceMs / MINUTE_MS) * probeBytesPerMinute;
    // Saved up for no longer than a sixth of a minute: a link that was idle for hours gets no flood.
    const most = Math.max(this.#options.maxProbeBytes, probeBytesPerMinute / 6);
    this.#allowedBytes = Math.min(most, this.#allowedBytes + refill);
    if (this.#allowedBytes < bytes) return false;
    this.#allowedBytes -= bytes;
    return true;
  }
}
