// The library behind `kerf serve`. Values first, then types.

export type { Grant, IssueTokenOptions, ServerCertificate, TokenKeyPair, VerifyToken } from '@kerf/access';
export {
  coversModel,
  DEFAULT_AUDIENCE,
  DEFAULT_ISSUER,
  developmentCertificate,
  generateTokenKeys,
  issueToken,
  tokenVerifier,
} from '@kerf/access';
export type { Cloud } from './cloud.ts';
export { startCloud } from './cloud.ts';
export type { WriteGoldenOptions } from './golden/write-golden.ts';
export { openModelFolder, writeGolden } from './golden/write-golden.ts';
export type { BatchingOptions, CloudLimits, QueueOptions } from './limits.ts';
export { DEFAULT_BATCHING, DEFAULT_CLOUD_LIMITS, DEFAULT_QUEUE } from './limits.ts';
export type { Log, LogEvent, LogLevel } from './log.ts';
export type { ModelFiles, Release } from './models/catalog.ts';
export { ModelCatalog } from './models/catalog.ts';
export type { AuthOptions, CloudOptions, ResolvedCloudOptions, TlsOptions, TraceOptions } from './options.ts';
export { resolveCloudOptions } from './resolve-options.ts';
