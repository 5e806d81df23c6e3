// Views of stations in trouble, made by hand: states that a test would have to fill a disk or wait for a certificate to get.
import type { Caller, CallName, CallParams, CallResults, FleetView, StationView, UpdatesView } from '@kerf/bridge';
import type { KerfError } from '@kerf/protocol';
import { BenchService } from '../../bench/inspector/bench-service.ts';

export type Answers = { readonly [N in CallName]?: CallResults[N] };

/** Answers as given; everything else as the bench's service does. */
export class FaultyService extends BenchService {
  answers: Answers = {};
  /** Calls that fail, or are never answered. */
  failing: Partial<Record<CallName, KerfError | 'never'>> = {};
  /** What pages have asked for, as it came. */
  readonly asked: CallName[] = [];

  constructor(picture: Uint8Array) {
    super({ graphNodes: 9, results: 9, picture });
    const { call, subscribe } = this;
    this.subscribe = (topic, listener) => {
      const station = this.answers['station.view'];
      if (topic === 'station' && station !== undefined) listener(station as never);
      return subscribe(topic, listener);
    };
    this.call = async <N extends CallName>(name: N, params: CallParams<N>, caller: Caller) => {
      this.asked.push(name);
      const failing = this.failing[name];
      if (failing === 'never') return new Promise<never>(() => {});
      if (failing !== undefined) throw failing;
      const made = this.answers[name] as CallResults[N] | undefined;
      if (made !== undefined) return made;
      const answer = await call(name, params, caller);
      return name === 'session.hello' ? ({ ...(answer as object), role: 'engineer' } as CallResults[N]) : answer;
    };
  }

  showStation(view: StationView): void {
    this.tell('station', view);
  }
}

export const RUNNING: StationView = {
  state: 'running',
  wallMs: Date.parse('2026-11-27T09:30:00Z'),
  uptimeMs: 7_200_000,
  source: {
    name: 'camera-1',
    state: 'running',
    reason: null,
    seen: 12_400,
    captured: 12_400,
    dropped: 3,
    late: 0,
    repeated: 0,
    unreadable: 2,
    recoveries: 1,
  },
  verdicts: { PASS: 12_018, REVIEW: 211, NG: 166, NO_READ: 5, ERROR: 0 },
  provisional: 0,
  stages: [],
  partsPerSecond: 9.7,
  p50Ms: 38,
  p99Ms: 71,
  link: { state: 'connected', code: null },
  route: 'split',
  provider: 'cpu',
  bytesUpPerPart: 18_400,
  pictureBytesPerPart: 310_000,
  delivery: { waiting: 2, disk: 'ok', isHeld: false, missedPictures: 0, blocked: [] },
  release: 'surface@2.1',
  thresholdsVersion: '9c41d2',
};

const lost = (reason: NonNullable<StationView['source']['reason']>): StationView => ({
  ...RUNNING,
  partsPerSecond: 0,
  source: { ...RUNNING.source, state: 'lost', reason },
});
const away = (code: StationView['link']['code'], cause: StationView['link']['cause'] = null): StationView => ({
  ...RUNNING,
  link: { state: 'away', code, cause },
});
const expired = away('TLS_UNTRUSTED', {
  kind: 'certificate-expired',
  host: 'cloud.example.com:8443',
  error: 'CERT_HAS_EXPIRED',
  clock: '2026-11-27 09:30 UTC',
});

/** Stations in trouble, by what is wrong. */
export const STATIONS: Readonly<Record<string, StationView>> = {
  'camera-silent': lost({
    code: 'SOURCE_LOST',
    message: 'no picture came within 5000 ms',
    cause: { kind: 'source-stalled', stallMs: 5_000 },
  }),
  'camera-words': lost({
    code: 'SOURCE_LOST',
    message: 'rtsp://192.0.2.17:554/stream1: Server returned 5XX Server Error reply',
  }),
  'camera-unreachable': lost({
    code: 'SOURCE_LOST',
    message: 'the camera cannot be reached: ffmpeg: rtsp://192.0.2.17/x: No route to host',
    cause: { kind: 'source-unreachable', message: 'ffmpeg: rtsp://192.0.2.17/x: No route to host' },
  }),
  'cloud-away': away('LINK_LOST'),
  'certificate-expired': expired,
  'token-expired': away('TOKEN_EXPIRED'),
  'outbox-full': {
    ...RUNNING,
    partsPerSecond: 0,
    delivery: {
      waiting: 128_400,
      disk: 'full',
      isHeld: true,
      missedPictures: 310,
      givenUp: 4_200,
      blocked: [
        { sink: 'mes', code: 'SINK_UNREACHABLE' },
        { sink: 'quality-archive', code: 'SINK_REFUSED' },
      ],
    },
  },
  everything: {
    ...expired,
    source: lost({ code: 'SOURCE_LOST', message: 'it ended', cause: { kind: 'source-frozen', pictures: 30 } }).source,
    delivery: {
      waiting: 128_400,
      disk: 'failed',
      isHeld: true,
      missedPictures: 310,
      blocked: [{ sink: 'mes', code: 'SINK_UNREACHABLE' }],
    },
  },
};

const hash = (digit: string): string => digit.repeat(64);
const golden = {
  kind: 'golden-differs',
  backend: 'onnxruntime-node/cpu',
  madeBy: 'kerf 1.0.0, onnxruntime 1.30.0, linux-x64',
  times: 14.2,
  sample: 3,
  output: 'anomaly_map',
};
const inEnglish = 'on onnxruntime-node/cpu this release differs from what kerf 1.0.0 gave by 14.2 times what it allows';

/** A release that was refused, one that was rolled back, and a fetch that failed. */
export const UPDATES: UpdatesView = {
  name: 'surface',
  mirrors: ['https://models.example.com/surface', 'repository'],
  installed: { id: hash('a'), version: '2.1' },
  previous: null,
  probation: null,
  staged: { id: hash('b'), version: '2.3', rejected: inEnglish, rejectedCause: golden },
  golden: null,
  waiting: null,
  settings: { automatic: true, pinned: null, window: '22:00-05:00' },
  isWindowOpen: false,
  everyMs: 3_600_000,
  hasKnownParts: true,
  hasRegistry: true,
  releases: [
    {
      id: hash('b'),
      version: '2.3',
      sequence: 5,
      createdAt: '2026-11-26T10:00:00Z',
      createdBy: 'ann@example.com',
      notes: '2026-11',
      kind: 'split',
      fullBytes: 4_800_000,
      fetchBytes: 0,
      goldenSamples: 4,
      rejected: inEnglish,
      rejectedCause: golden,
      isOlder: false,
    },
    {
      id: hash('c'),
      version: '2.2',
      sequence: 4,
      createdAt: '2026-11-20T10:00:00Z',
      createdBy: 'ann@example.com',
      notes: '',
      kind: 'split',
      fullBytes: 4_800_000,
      fetchBytes: 910_000,
      goldenSamples: 4,
      rejected: 'the health gate: 7 of 9 frames that were NG are PASS now',
      rejectedCause: { kind: 'gate-escaped', escaped: 7, ng: 9 },
      isOlder: false,
    },
  ],
  looked: { at: '2026-11-27T09:00:00Z', from: null },
  canary: null,
  job: null,
  ended: {
    step: 'fetch',
    version: '2.3',
    at: '2026-11-27T09:05:00Z',
    fault: { code: 'GOLDEN_FAILED', message: inEnglish, cause: golden },
  },
  history: [
    { at: '2026-11-27T09:05:00Z', kind: 'refused', version: '2.3', detail: inEnglish, cause: golden },
    {
      at: '2026-11-21T03:10:00Z',
      kind: 'rolledBack',
      version: '2.1',
      detail: 'the health gate: 7 of 9 frames that were NG are PASS now',
      cause: { kind: 'gate-escaped', escaped: 7, ng: 9 },
    },
    {
      at: '2026-11-21T01:02:00Z',
      kind: 'switched',
      version: '2.2',
      detail: 'the maintenance window has opened',
      cause: { kind: 'window-opened' },
    },
    {
      at: '2026-11-02T08:00:00Z',
      kind: 'confirmed',
      version: '2.1',
      detail: 'Li Wei: a week without escapes',
      cause: null,
    },
  ],
};

const stage = (members: string, devices: number, succeeded: number, failed: number) => ({
  members,
  devices,
  offered: succeeded + failed,
  succeeded,
  failed,
  successShare: 0.95,
  soakMs: 3_600_000,
  pauseAfter: true,
});
const rollout = {
  release: 'surface@2.2',
  stage: 0,
  stages: [stage('group:lab', 10, 8, 2), stage('rest', 230, 0, 0)],
  errors: { count: 5, share: 0.1, minimumEnded: 10 },
  maxInFlight: 20,
  createdBy: 'ann@example.com',
  createdAt: '2026-11-20T10:00:00Z',
  approvedBy: 'bob@example.com',
} as const;

/** A rollout that stopped and went back by itself, and one that waits after its first stage. */
export const FLEET: FleetView = {
  registry: 'https://registry.example.com',
  devices: {
    all: 240,
    seen: 236,
    versions: [
      { release: 'surface@2.1', devices: 238 },
      { release: 'surface@2.2', devices: 2 },
    ],
  },
  rollouts: [
    {
      ...rollout,
      id: 'second',
      status: 'rolling-back',
      reason: '2 of 10 devices of stage 1 failed, more than 10 %',
      cause: { kind: 'failed-share', failed: 2, ended: 10, stage: 1, allowedShare: 0.1 },
      onStop: 'roll-back',
      actions: ['abort'],
    },
    {
      ...rollout,
      id: 'first',
      release: 'surface@2.1',
      stages: [stage('group:lab', 10, 10, 0), stage('rest', 230, 0, 0)],
      status: 'paused',
      reason: 'after stage 1',
      cause: { kind: 'after-stage', stage: 1 },
      onStop: 'hold',
      actions: ['resume', 'stop', 'roll-back', 'abort'],
    },
  ],
};

/** Thresholds that somebody on another machine has changed. */
export const CHANGES: CallResults['thresholds.history'] = [
  {
    version: '9c41d2',
    at: '2026-11-27T09:00:00Z',
    by: 'engineer@192.0.2.104',
    passBelow: 0.35,
    ngAbove: 0.9,
    note: '2026-11: 0.9',
  },
];

/** A disk without room: recording has ended, and parts worth a label are not kept. */
export const KEEPING: Answers = {
  'sessions.view': {
    recording: null,
    missed: 4_120,
    fault: 'the disk is full: make room, and recording goes on by itself',
    cause: { kind: 'record-disk-full' },
    sessions: [],
    replay: {
      state: 'failed',
      session: 'line-7-2026-11-27',
      code: 'RECORDING_INVALID',
      message: 'MCAP: unexpected end at byte 40961',
    },
  },
  'samples.view': {
    isOn: true,
    labels: [],
    kept: 400,
    labelled: 400,
    counts: {},
    bytes: 2e9,
    quotaBytes: 2e9,
    seen: 12_400,
    alike: 11_020,
    missed: 31,
    fault: 'the quota is used up by parts with a label: export them, or raise samples.quota',
    cause: { kind: 'samples-quota' },
    canUndo: false,
  },
  'samples.list': { samples: [], hasMore: false },
};
