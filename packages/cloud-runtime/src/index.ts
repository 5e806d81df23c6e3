// The library behind `kerf serve`. Values first, then types.

export type { TokenKeyPair } from './auth/keys.ts';
export { generateTokenKeys } from './auth/keys.ts';
export { coversModel } from './auth/scope.ts';
export type { Grant, IssueTokenOptions, VerifyToken } from './auth/token.ts';
export { DEFAULT_AUDIENCE, DEFAULT_ISSUER, issueToken, tokenVerifier } from './auth/token.ts';
export type { Cloud } from './cloud.ts';
export { startCloud } from './cloud.ts';
export type { Log, LogEvent, LogLevel } from './log.ts';
export type { ModelFiles } from './models/catalog.ts';
export { ModelCatalog } from './models/catalog.ts';
export type {
  AuthOptions,
  BatchingOptions,
  CloudLimits,
  CloudOptions,
  ResolvedCloudOptions,
  TlsOptions,
} from './options.ts';
export { DEFAULT_BATCHING, DEFAULT_CLOUD_LIMITS, resolveCloudOptions } from './options.ts';
export type { ServerCertificate } from './server/certificate.ts';
export { developmentCertificate } from './server/certificate.ts';
