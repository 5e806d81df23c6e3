// Every bound of the registry in one place, each with its unit and its reason.

const MIB = 1024 * 1024;

export interface RegistryLimits {
  /** TCP connections. A process has a limit of open files. */
  readonly maxConnections: number;
  /** Bytes of a request's headers. A token is at most 8 KiB. */
  readonly maxHeaderBytes: number;
  /** Bytes of a JSON body but a publication's. */
  readonly maxJsonBytes: number;
  /** Bytes of a publication: metadata and manifests as base64. */
  readonly maxPublicationBytes: number;
  /** Bytes of one blob. */
  readonly maxBlobBytes: number;
  /** Uploads of blobs at a time: each holds a file open. */
  readonly maxUploads: number;
  /** JSON bodies that are read or answered at a time, in bytes together. */
  readonly maxBodyBytesInFlight: number;
  /** A request must be complete after this, uploads apart. */
  readonly requestTimeoutMs: number;
  /** An upload, or an answer, that moves no byte for this long is cut off. */
  readonly idleTimeoutMs: number;
  /** Requests that one subject, device or address may send at once, and per second over time. */
  readonly burstRequests: number;
  readonly requestsPerSecond: number;
  /** Refused credentials of one address at once, and per minute over time: a secret cannot be guessed by trying. */
  readonly burstRefusals: number;
  readonly refusalsPerMinute: number;
  /** Subjects and addresses whose rate is remembered; beyond, the one unheard of longest is forgotten. */
  readonly maxRateKeys: number;
  /** Devices that are enrolled and not retired. */
  readonly maxDevices: number;
  /** Groups and labels of one device, each. */
  readonly maxDeviceTags: number;
  /** Enrolment tokens that are neither used nor expired. */
  readonly maxOpenEnrolments: number;
  /** Rollouts of one model that are not over. */
  readonly maxActiveRollouts: number;
  /** How long sightings of devices wait before they are written together. */
  readonly seenFlushMs: number;
  /** Sightings that wait; beyond, they are written at once. */
  readonly maxUnwrittenSightings: number;
  /** Between two looks at rollouts that time moves. */
  readonly tickMs: number;
  /** How old the list of rollouts may be that devices are answered from; other registries on the same database change it. */
  readonly rolloutsMaxAgeMs: number;
  /** When a device that has nothing to do asks again, in seconds. */
  readonly checkAfterSeconds: number;
  /** Deltas made at a time. Each takes a core and up to three times the model's memory. */
  readonly deltaWorkers: number;
  /** Deltas that wait. */
  readonly maxQueuedDeltas: number;
  /** Memory and time of one delta's making. */
  readonly deltaMemoryMib: number;
  readonly deltaTimeoutMs: number;
  /** A delta whose maker has not been heard of for this long is made by another. */
  readonly deltaLeaseMs: number;
  /** Attempts before a delta is given up. */
  readonly maxDeltaAttempts: number;
}

export const DEFAULT_REGISTRY_LIMITS: RegistryLimits = Object.freeze({
  maxConnections: 10_000,
  maxHeaderBytes: 16 * 1024,
  maxJsonBytes: MIB,
  maxPublicationBytes: 32 * MIB,
  maxBlobBytes: 16 * 1024 * MIB,
  maxUploads: 32,
  maxBodyBytesInFlight: 128 * MIB,
  requestTimeoutMs: 60_000,
  idleTimeoutMs: 60_000,
  burstRequests: 200,
  requestsPerSecond: 50,
  burstRefusals: 20,
  refusalsPerMinute: 20,
  maxRateKeys: 100_000,
  maxDevices: 1_000_000,
  maxDeviceTags: 64,
  maxOpenEnrolments: 100_000,
  maxActiveRollouts: 32,
  seenFlushMs: 5000,
  maxUnwrittenSightings: 10_000,
  tickMs: 5000,
  rolloutsMaxAgeMs: 2000,
  checkAfterSeconds: 300,
  deltaWorkers: 1,
  maxQueuedDeltas: 1000,
  deltaMemoryMib: 4096,
  deltaTimeoutMs: 30 * 60_000,
  deltaLeaseMs: 60_000,
  maxDeltaAttempts: 3,
});
