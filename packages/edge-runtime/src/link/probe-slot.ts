// The one probe that may be under way on a connection -> the milliseconds until its whole answer is here.
import { encodeMessage, fillerBytes, KerfError } from '@kerf/protocol';

interface ProbeUnderWay {
  readonly nonce: number;
  readonly sentMs: number;
  /** Null: the connection ended before. */
  settle(elapsedMs: number | null): void;
}

export class ProbeSlot {
  private underWay: ProbeUnderWay | null = null;
  private count = 0;

  /** @returns null when a probe is under way, or the connection ended before the answer. */
  send(
    { upBytes, downBytes, nowMs }: { readonly upBytes: number; readonly downBytes: number; readonly nowMs: number },
    transport: { send(bytes: Uint8Array): void },
  ): Promise<number | null> {
    if (this.underWay !== null) return Promise.resolve(null);
    const nonce = ++this.count;
    const message = encodeMessage({ type: 'probe', nonce, answerBytes: downBytes, filler: fillerBytes(upBytes) });
    return new Promise((settle) => {
      this.underWay = { nonce, sentMs: nowMs, settle };
      transport.send(message);
    });
  }

  /** @throws {KerfError} MESSAGE_UNEXPECTED for one that was not sent. */
  answered(nonce: number, receivedMs: number): void {
    const probe = this.underWay;
    if (probe === null || probe.nonce !== nonce) {
      throw new KerfError('MESSAGE_UNEXPECTED', 'the cloud answered a probe that was not sent');
    }
    this.underWay = null;
    probe.settle(receivedMs - probe.sentMs);
  }

  /** The connection has ended. */
  close(): void {
    this.underWay?.settle(null);
    this.underWay = null;
  }
}
