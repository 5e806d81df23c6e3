// A station's figures -> Prometheus' text format.
import type { OutboxSnapshot } from '../../outbox/outbox-types.ts';
import type { StationSnapshot } from '../../station/station.ts';

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

/** @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function metricsText(station: string, snapshot: StationSnapshot, outbox: OutboxSnapshot): string {
  const own = { station };
  const lines = [
    ...family(
      'kerf_station_verdicts_total',
      'counter',
      'Parts by verdict; a final record replaces a provisional one.',
      Object.entries(snapshot.verdicts).map(([verdict, count]): Sample => [{ ...own, verdict }, count]),
    ),
    ...family(
      'kerf_station_placements_total',
      'counter',
      'Frames by who answered.',
      Object.entries(snapshot.placements).map(([placement, count]): Sample => [{ ...own, placement }, count]),
    ),
    ...family('kerf_station_frames_total', 'counter', 'Frames with a verdict.', [[own, snapshot.frames]]),
    ...family('kerf_station_provisional_total', 'counter', 'Frames whose first verdict was provisional.', [
      [own, snapshot.provisional],
    ]),
    ...family('kerf_station_unsettled', 'gauge', 'Provisional records that wait for a final one.', [
      [own, snapshot.unsettled],
    ]),
    ...family('kerf_station_sent_bytes_total', 'counter', 'Bytes of messages sent for frames.', [
      [own, snapshot.bytesUp],
    ]),
    ...family('kerf_station_received_bytes_total', 'counter', 'Bytes of answers.', [[own, snapshot.bytesDown]]),
    ...family('kerf_station_latency_seconds', 'gauge', 'From the picture to the verdict, over the last frames.', [
      ...quantile(own, '0.5', snapshot.p50Ms),
      ...quantile(own, '0.99', snapshot.p99Ms),
    ]),
    ...family('kerf_station_link_up', 'gauge', '1 where the cloud is connected or there is none.', [
      [own, snapshot.link === null || snapshot.link === 'connected' ? 1 : 0],
    ]),
    ...stageFamilies(own, snapshot),
    ...spanFamilies(own, snapshot),
    ...sourceFamily(own, snapshot),
    ...outboxFamilies(own, outbox),
  ];
  return `${lines.join('\n')}\n`;
}

function quantile(own: Labels, name: string, valueMs: number | null): Sample[] {
  return valueMs === null ? [] : [[{ ...own, quantile: name }, valueMs / 1000]];
}

function stageFamilies(own: Labels, { stages }: StationSnapshot): string[] {
  const of = (pick: (counters: (typeof stages)['sink']) => number): Sample[] =>
    Object.entries(stages).map(([stage, counters]) => [{ ...own, stage }, pick(counters)]);
  return [
    ...family(
      'kerf_station_stage_waiting',
      'gauge',
      'Frames that wait before a stage.',
      of(({ waiting }) => waiting),
    ),
    ...family(
      'kerf_station_stage_done_total',
      'counter',
      'Frames that left a stage.',
      of(({ out }) => out),
    ),
    ...family(
      'kerf_station_stage_dropped_total',
      'counter',
      'Frames that a full stage gave up.',
      of(({ dropped }) => dropped),
    ),
  ];
}

function spanFamilies(own: Labels, { spans }: StationSnapshot): string[] {
  const of = (pick: (span: { readonly frames: number; readonly meanMs: number }) => number): Sample[] =>
    Object.entries(spans).map(([stage, span]) => [{ ...own, stage }, pick(span)]);
  return [
    ...family(
      'kerf_station_span_frames_total',
      'counter',
      'Frames that were in a part of their way.',
      of(({ frames }) => frames),
    ),
    ...family(
      'kerf_station_span_seconds_total',
      'counter',
      'Time that frames spent there.',
      of(({ frames, meanMs }) => (frames * meanMs) / 1000),
    ),
  ];
}

function sourceFamily(own: Labels, { source }: StationSnapshot): string[] {
  const { state, ...counters } = source;
  const samples = Object.entries(counters).map(([kind, count]): Sample => [{ ...own, kind }, count]);
  return [
    ...family('kerf_station_source_pictures_total', 'counter', 'What the source saw and lost.', samples),
    ...family('kerf_station_source_up', 'gauge', '0 while the source is lost.', [[own, state === 'lost' ? 0 : 1]]),
  ];
}

function outboxFamilies(
  own: Labels,
  { records, bytes, dropped, stood, missedPictures, heldPictureBytes, sinks }: OutboxSnapshot,
): string[] {
  const perSink = (pick: (sink: (typeof sinks)[number]) => number): Sample[] =>
    sinks.map((sink) => [{ ...own, sink: sink.name }, pick(sink)]);
  const lost = Object.entries(dropped).map(([verdict, count]): Sample => [{ ...own, verdict }, count]);
  return [
    ...family('kerf_outbox_records', 'gauge', 'Records that some sink or a reconciliation needs.', [[own, records]]),
    ...family('kerf_outbox_bytes', 'gauge', 'Bytes of these, with kept pictures.', [[own, bytes]]),
    ...family('kerf_outbox_dropped_total', 'counter', 'Records given up for want of room.', lost),
    ...family(
      'kerf_outbox_stood_total',
      'counter',
      'Provisional records whose picture was given up for want of room.',
      [[own, stood]],
    ),
    ...family('kerf_outbox_missed_pictures_total', 'counter', 'Times that a sink got a record without its picture.', [
      [own, missedPictures],
    ]),
    ...family('kerf_outbox_held_picture_bytes', 'gauge', 'Bytes of pictures in memory that a sink is still to read.', [
      [own, heldPictureBytes],
    ]),
    ...family(
      'kerf_sink_delivered_total',
      'counter',
      'Records that a sink has taken.',
      perSink(({ delivered }) => delivered),
    ),
    ...family(
      'kerf_sink_waiting',
      'gauge',
      'Records that wait for a sink.',
      perSink(({ waiting }) => waiting),
    ),
    ...family(
      'kerf_sink_blocked',
      'gauge',
      '1 while a sink refuses.',
      perSink(({ block }) => (block === null ? 0 : 1)),
    ),
  ];
}

function family(name: string, type: string, help: string, samples: readonly Sample[]): string[] {
  if (samples.length === 0) return [];
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(([labels, value]) => `${name}{${labelText(labels)}} ${value}`),
  ];
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
