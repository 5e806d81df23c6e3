// Deltas between versions of models and other files: made from both, applied to the old one. Values first, then types.

export type { MadeSegment, MakeOptions } from './apply/apply-delta.ts';
export { checkBase, makeTarget, outputPlaces, readDeltaIndex } from './apply/apply-delta.ts';
export type { ByteReader } from './byte-reader.ts';
export { blobReader, joinedReader, memoryReader } from './byte-reader.ts';
export type { RuntimeVersions } from './device/check-runtime.ts';
export { checkRuntime, isPaired } from './device/check-runtime.ts';
export type { PlannedFile } from './device/choose-way.ts';
export { Device } from './device/device.ts';
export type { DeviceDisk, DeviceStorage } from './device/device-disk.ts';
export type { DeviceEvent, DeviceOptions, Staged, UpdateOptions, UpdateOutcome } from './device/device-options.ts';
export type { DeviceState, Installed, Rejected, SlotIndex } from './device/device-state.ts';
export { readState } from './device/device-state.ts';
export { diskStore } from './device/disk-store.ts';
export type { Candidate } from './device/fetch-candidate.ts';
export type { FetchedFile } from './device/fetch-file.ts';
export type { GateCause } from './device/gate-cause.ts';
export type { GoldenOptions, GoldenReport } from './device/golden-check.ts';
export { checkGolden, goldenDistance, goldenModel } from './device/golden-check.ts';
export { goldenFailed, whyFailed } from './device/golden-failed.ts';
export type { HealthPolicy, HealthVerdict, ShadowAnswer } from './device/health-gate.ts';
export { DEFAULT_HEALTH_POLICY, HealthGate } from './device/health-gate.ts';
export { indexedDbDisk, indexedDbStorage } from './device/indexed-db-disk.ts';
export type { MaintenanceWindow } from './device/maintenance-window.ts';
export { isInWindow, parseMaintenanceWindow } from './device/maintenance-window.ts';
export type { DeltaStep, HttpMirrorOptions, Mirror } from './device/mirror.ts';
export { httpMirror } from './device/mirror.ts';
export type { MirrorSetOptions } from './device/mirror-set.ts';
export { MirrorSet } from './device/mirror-set.ts';
export { opfsDisk, opfsStorage } from './device/opfs-disk.ts';
export type { DeviceLimits } from './device/options.ts';
export { DEFAULT_DEVICE_LIMITS } from './device/options.ts';
export type { ReleaseCause, ReleaseWhy } from './device/release-cause.ts';
export { causeOf, releaseReason } from './device/release-cause.ts';
export { MARK as RELEASE_MARK } from './device/stage-release.ts';
export type { BytePatcher } from './encode/byte-rival.ts';
export type { EncodedDelta, EncodeOptions } from './encode/encode-delta.ts';
export { deltaBytesOf, encodeDelta } from './encode/encode-delta.ts';
export type { DeltaReport, PartReport, RivalReport, Strategy } from './encode/report.ts';
export type { SourceFile, TensorRange } from './encode/source-files.ts';
export { isSafeFileName } from './format/file-name.ts';
export type { DeltaFile, DeltaIndex, DeltaSegment, FormatVersion } from './format/patch-index.ts';
export { decodeIndex, HEADER_BYTES, LAST_FORMAT, signedBytesOf } from './format/patch-index.ts';
export type { Hasher, MakeHasher } from './hash.ts';
export { portableHasher, sha256Hex } from './hash.ts';
export type { ModelLayout } from './model/model-layout.ts';
export { modelLayout } from './model/model-layout.ts';
export type { SnappedModel } from './model/snap-model.ts';
export { snapModel } from './model/snap-model.ts';
export { counterpartOf } from './release/counterpart.ts';
export type { GoldenSample } from './release/golden-file.ts';
export { readGoldenFile, writeGoldenFile } from './release/golden-file.ts';
export type {
  FileRole,
  GoldenClaim,
  ListedDelta,
  ReleaseFile,
  ReleaseKind,
  ReleaseManifest,
  RuntimeFloor,
  Side,
  SnapClaim,
  TensorGroup,
} from './release/release-manifest.ts';
export {
  filesOfSide,
  NAME_PATTERN,
  parseReleaseManifest,
  RELEASE_FORMAT,
  SIDES,
  VERSION_PATTERN,
  writeReleaseManifest,
} from './release/release-manifest.ts';
export { checkReleaseName, REPOSITORY_PATHS, releaseOfTarget, releaseTarget } from './release/repository-layout.ts';
export { tensorGroups } from './release/tensor-groups.ts';
export { canonicalJson } from './trust/canonical-json.ts';
export type { TufKey } from './trust/keys.ts';
export { ed25519Key, keyIdOf, verifySignature } from './trust/keys.ts';
export type {
  DelegatedRole,
  MetadataKinds,
  MetaFile,
  RoleKeys,
  RootMetadata,
  Signed,
  SnapshotMetadata,
  TargetFile,
  TargetsMetadata,
  TimestampMetadata,
  TopRole,
} from './trust/metadata.ts';
export { parseMetadata, TOP_ROLES } from './trust/metadata.ts';
export type { RootBody, Signer, TargetsBody } from './trust/sign-metadata.ts';
export {
  metaOfBytes,
  rootJson,
  signMetadata,
  snapshotJson,
  targetsJson,
  timestampJson,
} from './trust/sign-metadata.ts';
export { readRoot, TrustedMetadata } from './trust/trusted-metadata.ts';
export type { MetadataSource, MetadataStore, TrustedRelease, UpdateTrustOptions } from './trust/update-trust.ts';
export { TrustedRepository, updateTrust } from './trust/update-trust.ts';
