// Every bound of the cloud, of its batches and of its queues, with their defaults.

/** Every bound of the cloud in one place, each with its unit and its reason. */
export interface CloudLimits {
  /** TCP connections of all kinds. A process has a limit of open files. */
  readonly maxConnections: number;
  /** Connections that have not shown a token yet. Strangers cannot take all of the places. */
  readonly maxUnauthenticated: number;
  /** Bytes a connection may send before its token is accepted. A token is at most 8 KiB. */
  readonly maxGreetingBytes: number;
  /** From the connection to the accepted `hello`. */
  readonly greetingTimeoutMs: number;
  /** A link that stays silent this long is asked with a ping; after three times as long it is dropped. */
  readonly pingIntervalMs: number;
  /** Bytes that wait for a slow reader; beyond, its link is dropped. */
  readonly maxBufferedBytes: number;
  /** Sessions open on one link at a time. */
  readonly maxSessionsPerLink: number;
  /** Sessions of all links, those waiting to be resumed included. */
  readonly maxSessions: number;
  /** Frames of one session that may be in flight. */
  readonly credits: number;
  /** Frames waiting for one model. */
  readonly maxQueuedFrames: number;
  /** Bytes of all frames that wait or run, and of answers to probes that wait for their reader. */
  readonly maxInFlightBytes: number;
  /** Bytes of JSON in one HTTP request. Binary tensors behind it are bounded as messages are. */
  readonly maxJsonBytes: number;
  /** Bytes of filler in the probes of one link and in their answers. A measurement takes up to 100 MB. */
  readonly maxProbeBytesPerLink: number;
  /** Longest deadline that a frame is given, whatever it asks. */
  readonly maxDeadlineMs: number;
  /** How long a session's answers are kept after its link was lost. */
  readonly resumeWindowMs: number;
  /** Bytes of answers kept for one session. */
  readonly maxKeptBytesPerSession: number;
  /** Bytes of answers kept for all sessions. */
  readonly maxKeptBytes: number;
  /** Models loaded at a time; the one unused longest makes room. */
  readonly maxLoadedModels: number;
  /** Bytes of the files of loaded models. */
  readonly maxLoadedBytes: number;
  /** A model that no session uses is unloaded after this; 0 keeps it. */
  readonly idleUnloadMs: number;
  /** How often a newer release of a preloaded model is looked for. */
  readonly releasePollMs: number;
  /** Worker processes of one model. */
  readonly workersPerModel: number;
  /** A model that is not loaded after this is given up. */
  readonly loadTimeoutMs: number;
  /** Runs of every batch size before a worker is ready end after this; 0: none are made. */
  readonly warmUpMs: number;
  /** A run that takes longer has hung: its worker is killed. */
  readonly runTimeoutMs: number;
  /** Resident bytes at which a worker is replaced by a fresh one; 0: no bound. */
  readonly maxWorkerRssBytes: number;
  /** Growth of a worker's memory over its first seconds of traffic, as a share, at which it is replaced; 0: no bound. */
  readonly maxWorkerGrowth: number;
  /** Shared memory of one worker and direction for payloads; 0 sends them through the pipe. */
  readonly workerSpoolBytes: number;
  /** Bytes of a tensor that an image is decoded into. */
  readonly maxDecodedImageBytes: number;
}

export interface BatchingOptions {
  readonly enabled: boolean;
  /** Rows (first axis) of one run. */
  readonly maxRows: number;
  /** Longest that a frame waits for company while others are under way. */
  readonly maxDelayMs: number;
  /** Largest difference, absolute or relative to the value, at which a batch counts as equal to single runs; 0: bit-equal. */
  readonly tolerance: number;
  /**
   * A batch must take at most this share of the time of single runs, else it only makes frames wait for each other. Far enough
   * below 1 that what disturbs a trial does not pass for a gain: each number of rows that seems to gain is tried in turn.
   */
  readonly maxTimeShare: number;
  /** After so many batches one is checked against single runs again, then after twice as many, up to sixteen times as many. */
  readonly recheckEvery: number;
}

/** In which order frames wait, and which are refused at once. */
export interface QueueOptions {
  /** Levels of urgency. Level 1 is served first. */
  readonly priorityLevels: number;
  /** The level of a frame that asks for priority 0, or for none that is there. */
  readonly defaultPriority: number;
  /** A frame counts as due after this, however far its deadline is; below the first level it is then served in turn. */
  readonly patienceMs: number;
  /** Refuses a frame at once whose answer, as runs take now, would come after its deadline. */
  readonly admission: boolean;
}

export const DEFAULT_QUEUE: QueueOptions = Object.freeze({
  priorityLevels: 5,
  defaultPriority: 3,
  patienceMs: 1000,
  admission: true,
});

export const DEFAULT_CLOUD_LIMITS: CloudLimits = Object.freeze({
  maxConnections: 10_000,
  maxUnauthenticated: 256,
  maxGreetingBytes: 64 * 1024,
  greetingTimeoutMs: 10_000,
  pingIntervalMs: 15_000,
  maxBufferedBytes: 128 * 1024 * 1024,
  maxSessionsPerLink: 64,
  maxSessions: 10_000,
  credits: 16,
  maxQueuedFrames: 1024,
  maxInFlightBytes: 1024 * 1024 * 1024,
  maxJsonBytes: 16 * 1024 * 1024,
  maxProbeBytesPerLink: 256 * 1024 * 1024,
  maxDeadlineMs: 10 * 60_000,
  resumeWindowMs: 30_000,
  maxKeptBytesPerSession: 64 * 1024 * 1024,
  maxKeptBytes: 512 * 1024 * 1024,
  maxLoadedModels: 16,
  maxLoadedBytes: 16 * 1024 * 1024 * 1024,
  idleUnloadMs: 10 * 60_000,
  releasePollMs: 2000,
  workersPerModel: 1,
  loadTimeoutMs: 120_000,
  warmUpMs: 10_000,
  runTimeoutMs: 30_000,
  maxWorkerRssBytes: 0,
  maxWorkerGrowth: 2,
  workerSpoolBytes: 32 * 1024 * 1024,
  maxDecodedImageBytes: 256 * 1024 * 1024,
});

export const DEFAULT_BATCHING: BatchingOptions = Object.freeze({
  enabled: true,
  maxRows: 16,
  maxDelayMs: 2,
  tolerance: 0,
  maxTimeShare: 0.8,
  recheckEvery: 256,
});
