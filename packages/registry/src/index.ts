// The library behind `kerf registry`. Values first, then types.

export type { AuditCheckpoint, AuditEntry, AuditFact } from './audit/chain.ts';
export { CHECKPOINT_FORMAT, ChainCheck } from './audit/chain.ts';
export type { BlobClaim, BlobStore, ByteSpan } from './blobs/blob-store.ts';
export { openFolderBlobs } from './blobs/folder-blobs.ts';
export type { S3Options } from './blobs/s3-blobs.ts';
export { openS3Blobs } from './blobs/s3-blobs.ts';
export type { Database, Sql, SqlValue } from './store/database.ts';
export { openEmbedded } from './store/embedded.ts';
export { openPostgresql } from './store/postgresql.ts';
