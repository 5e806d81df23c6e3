// The tables, in SQL that SQLite and PostgreSQL both take: text, whole numbers, bytes; JSON as text, times in
// milliseconds since 1970.

export const SCHEMA_1: readonly string[] = [
  // TUF metadata and release manifests, by their path in the repository.
  `CREATE TABLE repository_files (
    path TEXT PRIMARY KEY, bytes BYTEA NOT NULL, sha256 TEXT NOT NULL, published_at BIGINT NOT NULL)`,
  // id: SHA-256 of the manifest.
  `CREATE TABLE releases (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, sequence BIGINT NOT NULL,
    manifest_path TEXT NOT NULL REFERENCES repository_files (path), published_at BIGINT NOT NULL,
    published_by TEXT NOT NULL, UNIQUE (name, version))`,
  `CREATE TABLE release_files (
    release_id TEXT NOT NULL REFERENCES releases (id), name TEXT NOT NULL, sha256 TEXT NOT NULL, bytes BIGINT NOT NULL,
    role TEXT NOT NULL, PRIMARY KEY (release_id, name))`,
  'CREATE INDEX release_files_by_hash ON release_files (sha256)',
  // What turns one file into another. from_sha256 is 'none' for a compressed file. index_sha256: over header and index,
  // as manifests list it.
  `CREATE TABLE deltas (
    from_sha256 TEXT NOT NULL, to_sha256 TEXT NOT NULL, state TEXT NOT NULL, bytes BIGINT, index_sha256 TEXT,
    done_bytes BIGINT NOT NULL,
    total_bytes BIGINT NOT NULL, attempts BIGINT NOT NULL, owner TEXT, lease_until BIGINT, reason TEXT,
    asked_at BIGINT NOT NULL, changed_at BIGINT NOT NULL, PRIMARY KEY (from_sha256, to_sha256))`,
  'CREATE INDEX deltas_by_state ON deltas (state, asked_at)',
  `CREATE TABLE enrolment_tokens (
    id TEXT PRIMARY KEY, secret_sha256 TEXT NOT NULL, groups TEXT NOT NULL, labels TEXT NOT NULL,
    expires_at BIGINT NOT NULL, created_by TEXT NOT NULL, device_id TEXT, used_at BIGINT)`,
  `CREATE TABLE devices (
    id TEXT PRIMARY KEY, credential_sha256 TEXT NOT NULL, retired BIGINT NOT NULL, enrolled_at BIGINT NOT NULL,
    last_seen_at BIGINT, agent TEXT, provider TEXT, cut TEXT, health TEXT)`,
  `CREATE TABLE device_groups (
    device_id TEXT NOT NULL REFERENCES devices (id), name TEXT NOT NULL, PRIMARY KEY (device_id, name))`,
  'CREATE INDEX device_groups_by_name ON device_groups (name, device_id)',
  `CREATE TABLE device_labels (
    device_id TEXT NOT NULL REFERENCES devices (id), key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (device_id, key))`,
  'CREATE INDEX device_labels_by_value ON device_labels (key, value, device_id)',
  // What a device has of each model and what it should have by hand: assigned is the release where no rollout says
  // otherwise, pinned wins over rollouts.
  `CREATE TABLE device_models (
    device_id TEXT NOT NULL REFERENCES devices (id), name TEXT NOT NULL, installed TEXT, assigned TEXT, pinned TEXT,
    reported_at BIGINT, PRIMARY KEY (device_id, name))`,
  `CREATE TABLE rollouts (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, release_id TEXT NOT NULL REFERENCES releases (id), number BIGINT NOT NULL,
    spec TEXT NOT NULL, state TEXT NOT NULL, status TEXT NOT NULL, created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL, changed_at BIGINT NOT NULL)`,
  'CREATE INDEX rollouts_by_status ON rollouts (status, name)',
  // A row appears when the release is offered to the device. previous: what it had then.
  `CREATE TABLE rollout_devices (
    rollout_id TEXT NOT NULL REFERENCES rollouts (id), device_id TEXT NOT NULL REFERENCES devices (id),
    stage BIGINT NOT NULL, state TEXT NOT NULL, previous TEXT, offered_at BIGINT NOT NULL, ended_at BIGINT,
    reason TEXT, PRIMARY KEY (rollout_id, device_id))`,
  'CREATE INDEX rollout_devices_by_state ON rollout_devices (rollout_id, state, offered_at)',
  'CREATE INDEX rollout_devices_by_device ON rollout_devices (device_id)',
  // Each entry's hash covers the one before it.
  `CREATE TABLE audit (
    number BIGINT PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
    detail TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL)`,
];
