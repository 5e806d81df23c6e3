// Probes of one link -> their answers, one at a time and within limits.
import { encodeMessage, fillerBytes, KerfError, type Probe } from '@kerf/protocol';
import type { CloudLimits } from '../limits.ts';
import type { ByteBudget } from '../session/byte-budget.ts';
import type { CloudMetrics } from './metrics.ts';

export interface ProbeDeskOptions {
  readonly limits: Pick<CloudLimits, 'maxProbeBytesPerLink'>;
  /** Answers that wait for their reader count as frames in flight do. */
  readonly inFlight: ByteBudget;
  readonly metrics: Pick<CloudMetrics, 'probeBytes'>;
  /** Sends a message; `onSent` is called once the bytes are no longer needed. */
  readonly send: (message: Uint8Array, onSent: () => void) => void;
}

export class ProbeDesk {
  readonly #options: ProbeDeskOptions;
  #isAnswering = false;
  #bytes = 0;

  constructor(options: ProbeDeskOptions) {
    this.#options = options;
  }

  /**
   * Answers at once: the probe has come as a whole.
   * @throws {KerfError} MESSAGE_UNEXPECTED while the answer to an earlier probe is on its way out; OVERLOADED.
   */
  answer({ nonce, answerBytes, filler }: Probe): void {
    const { inFlight, metrics, send } = this.#options;
    if (this.#isAnswering) {
      throw new KerfError('MESSAGE_UNEXPECTED', 'a probe came before the last one was answered; send one at a time');
    }
    this.#count(filler.byteLength + answerBytes);
    if (!inFlight.tryTake(answerBytes)) {
      throw new KerfError('OVERLOADED', 'the cloud has no room for the answer to a probe; try again later');
    }
    metrics.probeBytes.inc({ direction: 'received' }, filler.byteLength);
    metrics.probeBytes.inc({ direction: 'sent' }, answerBytes);
    this.#isAnswering = true;
    send(encodeMessage({ type: 'probed', nonce, filler: fillerBytes(answerBytes) }), () => {
      this.#isAnswering = false;
      inFlight.give(answerBytes);
    });
  }

  #count(bytes: number): void {
    const { maxProbeBytesPerLink } = this.#options.limits;
    this.#bytes += bytes;
    if (this.#bytes <= maxProbeBytesPerLink) return;
    throw new KerfError(
      'OVERLOADED',
      `this link has probed for more than ${maxProbeBytesPerLink} bytes; connect again`,
    );
  }
}
