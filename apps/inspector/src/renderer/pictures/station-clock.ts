// Questions about the station's clock -> when, by this page's clock, something happened there at the earliest.
import type { InspectorBridge } from '@kerf/bridge';
import { ClockOffset } from '@kerf/edge-runtime';
import type { Clock } from '@kerf/protocol';

/** Between two questions: the first few soon, since the shortest way there and back says most. */
const ASK_MS = { soon: 500, later: 10_000 };
const SOON = 4;

export class StationClock {
  private readonly bridge: InspectorBridge;
  private readonly clock: Clock;
  private offset = new ClockOffset();
  private asked = 0;
  private cancelNext: () => void = () => {};
  private readonly onKnown: () => void;

  /** @param onKnown the first answer of a connection is there */
  constructor(bridge: InspectorBridge, clock: Clock, onKnown: () => void) {
    this.bridge = bridge;
    this.clock = clock;
    this.onKnown = onKnown;
    bridge.onState(({ kind }) => {
      this.cancelNext();
      if (kind !== 'connected') return;
      // Whoever answers now may be another process.
      this.offset = new ClockOffset();
      this.asked = 0;
      void this.ask();
    });
  }

  /** Never later than it was; null before the first answer. */
  earliest(stationMs: number): number | null {
    const offset = this.offset.at(this.clock.nowMs());
    return offset === null ? null : stationMs - offset.offsetMs - offset.errorMs;
  }

  private async ask(): Promise<void> {
    const { offset } = this;
    const sentMs = this.clock.nowMs();
    const stationMs = await this.bridge.call('session.clock', {}).then(
      (answer) => answer.stationMs,
      () => null,
    );
    if (offset !== this.offset) return;
    if (stationMs !== null) {
      const receivedMs = this.clock.nowMs();
      const isFirst = offset.at(receivedMs) === null;
      offset.add({ sentMs, cloudReceivedMs: stationMs, cloudSentMs: stationMs, receivedMs });
      if (isFirst) this.onKnown();
    }
    this.cancelNext = this.clock.after(this.asked++ < SOON ? ASK_MS.soon : ASK_MS.later, () => void this.ask());
  }
}
