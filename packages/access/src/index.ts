// Who may, and how a server proves itself: tokens, their keys and scopes, certificates. Values first, then types.

export type { ServerCertificate } from './certificate.ts';
export { certificateFromFiles, developmentCertificate } from './certificate.ts';
export type { CertificateEvent, FollowOptions } from './follow-certificate.ts';
export { followCertificate, tlsContext } from './follow-certificate.ts';
export type { TokenKeyPair } from './keys.ts';
export { generateTokenKeys, keyIdOf, readPublicKey } from './keys.ts';
export type { CloudPermission, RegistryPermission } from './scope.ts';
export {
  CLOUD_PERMISSIONS,
  coversModel,
  isCloudPermission,
  isRegistryPermission,
  mayInCloud,
  mayInRegistry,
  REGISTRY_PERMISSIONS,
} from './scope.ts';
export type { Grant, IssueTokenOptions, VerifyToken } from './token.ts';
export { anyoneMay, DEFAULT_AUDIENCE, DEFAULT_ISSUER, issueToken, tokenVerifier } from './token.ts';
