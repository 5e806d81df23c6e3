// What the cloud counts -> Prometheus text, under Triton's names where Triton has one.
import { ERROR_CODES, type ErrorCode } from '@kerf/protocol';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Release } from '../models/catalog.ts';
import type { FrameOutcome } from '../models/frame-task.ts';
import type { RunnerMeter } from '../models/model-runner.ts';

/** Values that are read when Prometheus asks. */
export interface LiveValues {
  links(): number;
  sessions(): number;
  inFlightBytes(): number;
  keptAnswerBytes(): number;
  /** Frames that wait for each loaded model. */
  queued(): readonly { readonly release: Release; readonly frames: number }[];
}

export interface CloudMetrics {
  readonly registry: Registry;
  readonly bytesIn: Counter;
  readonly bytesOut: Counter;
  /** Filler of probes, by `direction`: received or sent. */
  readonly probeBytes: Counter<'direction'>;
  readonly faults: Counter<'code'>;
  /** Meter of one release. */
  meterOf(release: Release): RunnerMeter;
  /** Ends the series of a release that is served no more. */
  forget(release: Release): void;
}

type ByModel = 'model' | 'version';

/** Seconds: from a small tail on a GPU to a frame that waits its turn on a full machine. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Rows of a run. */
const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128];

export function cloudMetrics(live: LiveValues): CloudMetrics {
  const registry = new Registry();
  const registers = [registry];
  const byModel = (name: string, help: string): Counter<ByModel> =>
    new Counter({ name, help, labelNames: ['model', 'version'], registers });
  const histogram = (name: string, help: string, buckets = BUCKETS): Histogram<ByModel> =>
    new Histogram({ name, help, labelNames: ['model', 'version'], buckets, registers });
  const histograms = {
    request: histogram('kerf_inference_request_seconds', 'From receipt to answer, of frames answered with a result'),
    queue: histogram('kerf_inference_queue_seconds', 'From receipt to the start of the run'),
    compute: histogram('kerf_inference_compute_seconds', 'Runs of the model, a batch being one'),
    rows: histogram('kerf_inference_batch_rows', 'Rows that ran together', BATCH_BUCKETS),
  };
  const counters = {
    success: byModel('nv_inference_request_success', 'Frames answered with a result'),
    failure: new Counter({
      name: 'nv_inference_request_failure',
      help: 'Frames answered with a fault',
      labelNames: ['model', 'version', 'reason'],
      registers,
    }),
    count: byModel('nv_inference_count', 'Rows run, those of a batch each for itself'),
    execCount: byModel('nv_inference_exec_count', 'Runs, a batch being one'),
    requestUs: byModel('nv_inference_request_duration_us', 'From receipt to answer, summed over frames'),
    queueUs: byModel('nv_inference_queue_duration_us', 'From receipt to the start of the run, summed over frames'),
    inputUs: byModel('nv_inference_compute_input_duration_us', 'Decoding of what came, summed over runs'),
    outputUs: byModel('nv_inference_compute_output_duration_us', 'The way back from the worker, summed over frames'),
    inferUs: byModel('nv_inference_compute_infer_duration_us', 'Runs of the model, summed'),
    restarts: byModel('kerf_worker_restarts_total', 'Worker processes that died and were started again'),
    recycled: byModel('kerf_worker_recycled_total', 'Worker processes replaced because their memory had grown'),
    demoted: new Counter({
      name: 'kerf_provider_demoted_total',
      help: 'Execution providers that were asked for and do not serve the model, by code',
      labelNames: ['model', 'version', 'provider', 'code'],
      registers,
    }),
    batchingOff: byModel('kerf_batching_refused_total', 'Shapes for which batches gave other results than single runs'),
  };
  addLiveValues(live, registry);
  return {
    registry,
    bytesIn: new Counter({ name: 'kerf_received_bytes_total', help: 'Bytes of messages from edges', registers }),
    bytesOut: new Counter({ name: 'kerf_sent_bytes_total', help: 'Bytes of messages to edges', registers }),
    probeBytes: new Counter({
      name: 'kerf_probe_bytes_total',
      help: 'Bytes of filler by which edges measured their links',
      labelNames: ['direction'],
      registers,
    }),
    faults: new Counter({
      name: 'kerf_link_faults_total',
      help: 'Faults that concern a link or a session',
      labelNames: ['code'],
      registers,
    }),
    meterOf: ({ model, version }) => meterOf({ model, version }, counters, histograms),
    forget: ({ model, version }) => {
      const labels = { model, version };
      for (const reason of REASONS) counters.failure.remove({ ...labels, reason });
      const { failure: _failure, demoted: _demoted, ...others } = counters;
      for (const metric of [...Object.values(others), ...Object.values(histograms)]) metric.remove(labels);
    },
  };
}

type Counters = Record<CounterName, Counter<ByModel>> & {
  failure: Counter<ByModel | 'reason'>;
  demoted: Counter<ByModel | 'provider' | 'code'>;
};
type CounterName =
  | 'success'
  | 'count'
  | 'execCount'
  | 'requestUs'
  | 'queueUs'
  | 'inputUs'
  | 'outputUs'
  | 'inferUs'
  | 'restarts'
  | 'recycled'
  | 'batchingOff';

type Histograms = Record<'request' | 'queue' | 'compute' | 'rows', Histogram<ByModel>>;

function meterOf(labels: { model: string; version: string }, counters: Counters, histograms: Histograms): RunnerMeter {
  return {
    ran(rows, decodeMs, computeMs) {
      counters.count.inc(labels, rows);
      counters.execCount.inc(labels);
      counters.inferUs.inc(labels, Math.round(computeMs * 1000));
      counters.inputUs.inc(labels, Math.round(decodeMs * 1000));
      histograms.compute.observe(labels, computeMs / 1000);
      histograms.rows.observe(labels, rows);
    },
    settled(outcome: FrameOutcome) {
      if (outcome.kind === 'fault') {
        counters.failure.inc({ ...labels, reason: reasonOf(outcome.code) });
        return;
      }
      counters.success.inc(labels);
      const { totalMs, queueMs, decodeMs, computeMs } = outcome.spans;
      counters.requestUs.inc(labels, Math.round(totalMs * 1000));
      counters.queueUs.inc(labels, Math.max(0, Math.round(queueMs * 1000)));
      counters.outputUs.inc(labels, Math.max(0, Math.round((totalMs - queueMs - decodeMs - computeMs) * 1000)));
      histograms.request.observe(labels, totalMs / 1000);
      histograms.queue.observe(labels, Math.max(0, queueMs) / 1000);
    },
    restarted: () => counters.restarts.inc(labels),
    recycled: () => counters.recycled.inc(labels),
    demoted: (provider, code) => counters.demoted.inc({ ...labels, provider, code }),
    batchingRefused: () => counters.batchingOff.inc(labels),
  };
}

/** Triton's reasons. */
const REASONS = ['CANCELED', 'REJECTED', 'BACKEND', 'OTHER'] as const;

function reasonOf(code: ErrorCode): (typeof REASONS)[number] {
  if (code === 'CANCELLED') return 'CANCELED';
  if (code === 'OVERLOADED' || code === 'DEADLINE_EXCEEDED') return 'REJECTED';
  return ERROR_CODES[code].wire >= 600 ? 'BACKEND' : 'OTHER';
}

function addLiveValues(live: LiveValues, registry: Registry): void {
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers: [],
      collect() {
        this.set(read());
      },
    });
  const queued = new Gauge({
    name: 'nv_inference_pending_request_count',
    help: 'Frames that wait for a model',
    labelNames: ['model', 'version'],
    registers: [],
    collect() {
      this.reset();
      for (const { release, frames } of live.queued()) this.set({ ...release }, frames);
    },
  });
  const gauges = [
    gauge('kerf_links', 'Connected edges', () => live.links()),
    gauge('kerf_sessions', 'Sessions, those that wait to be resumed included', () => live.sessions()),
    gauge('kerf_in_flight_bytes', 'Bytes of frames that wait or run', () => live.inFlightBytes()),
    gauge('kerf_kept_answer_bytes', 'Bytes of answers kept for links that may come back', () => live.keptAnswerBytes()),
    queued,
  ];
  for (const one of gauges) registry.registerMetric(one);
}
