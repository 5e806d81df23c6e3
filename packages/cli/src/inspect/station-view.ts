// A station's snapshot -> the line at one moment, as the Inspector shows it.
import { causeView, type DeliveryView, type StationView } from '@kerf/bridge';
import type { OutboxSnapshot, StageCounters, StageName, StationSnapshot } from '@kerf/edge-runtime';

export interface ViewContext {
  readonly sourceName: string;
  readonly sourceReason: StationView['source']['reason'];
  readonly uptimeMs: number;
  readonly wallMs: number;
  readonly provider: string;
  /** Of the newest part. */
  readonly route: string | null;
  /** Means over the last parts; null before the first. */
  readonly bytesUpPerPart: number | null;
  readonly pictureBytesPerPart: number | null;
  readonly outbox: OutboxSnapshot;
}

export function stationView(snapshot: StationSnapshot, context: ViewContext): StationView {
  const { source, stages, link, linkCode, linkCause } = snapshot;
  return {
    state: snapshot.state,
    wallMs: context.wallMs,
    uptimeMs: context.uptimeMs,
    source: { ...source, name: context.sourceName, reason: context.sourceReason },
    verdicts: snapshot.verdicts,
    provisional: snapshot.unsettled,
    stages: (Object.entries(stages) as [StageName, StageCounters][]).map(([name, { waiting, out, dropped }]) => ({
      name,
      waiting,
      done: out,
      dropped,
    })),
    partsPerSecond: snapshot.framesPerSecond,
    p50Ms: snapshot.p50Ms,
    p99Ms: snapshot.p99Ms,
    link: {
      state: link === null ? 'none' : link === 'connected' ? 'connected' : 'away',
      code: linkCode,
      cause: causeView(linkCause),
    },
    route: context.route,
    provider: context.provider,
    bytesUpPerPart: context.bytesUpPerPart,
    pictureBytesPerPart: context.pictureBytesPerPart,
    delivery: deliveryView(context.outbox),
    release: snapshot.release,
    thresholdsVersion: snapshot.thresholdsVersion,
  };
}

/** Whether results leave the station, and what was lost on the way. */
export function deliveryView({ sinks, storage, isHeld, missedPictures, dropped }: OutboxSnapshot): DeliveryView {
  return {
    waiting: Math.max(0, ...sinks.map(({ waiting }) => waiting)),
    disk: storage.kind,
    isHeld,
    missedPictures,
    givenUp: Object.values(dropped).reduce((sum, count) => sum + count, 0),
    blocked: sinks.flatMap(({ name, block }) =>
      block === null ? [] : [{ sink: name, code: block.code, cause: causeView(block.cause) }],
    ),
  };
}
