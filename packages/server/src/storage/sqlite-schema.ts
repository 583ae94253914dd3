/** "TIDE": marks a database file as one of ours (https://www.sqlite.org/pragma.html#pragma_application_id). */
export const APPLICATION_ID = 0x54_49_44_45

/**
 * `PRAGMA user_version`. Raised whenever a table or what is in it changes; a relay refuses a version that it doesn't know.
 *
 * - 1: before the first release.
 * - 2: client ids are stored with their last register.
 * - 3: tombstones are found by their age and purged up to a horizon.
 */
export const SCHEMA_VERSION = 3

/**
 * Text keys throughout, so that the file can be read with any SQLite tool. `entities_by_sequence` is what catching up
 * walks along; as an index of a table without rowid it holds the rest of the key too.
 */
export const SCHEMA = `
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE spaces (
  space TEXT PRIMARY KEY,
  sequence INTEGER NOT NULL,
  horizon INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE entities (
  space TEXT NOT NULL,
  collection TEXT NOT NULL,
  id TEXT NOT NULL,
  generation TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  version_sequence INTEGER NOT NULL,
  last_modified INTEGER NOT NULL,
  clients BLOB NOT NULL,
  snapshot_bytes INTEGER NOT NULL,
  log_bytes INTEGER NOT NULL,
  log_length INTEGER NOT NULL,
  tombstone_at INTEGER,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (space, collection, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX entities_by_sequence ON entities (space, sequence);

CREATE INDEX tombstones ON entities (space, sequence, tombstone_at) WHERE tombstone_at IS NOT NULL;

CREATE TABLE snapshots (
  space TEXT NOT NULL,
  collection TEXT NOT NULL,
  id TEXT NOT NULL,
  bytes BLOB NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (space, collection, id)
) STRICT;

CREATE TABLE updates (
  space TEXT NOT NULL,
  collection TEXT NOT NULL,
  id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (space, collection, id, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE operations (
  space TEXT NOT NULL,
  id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  user TEXT NOT NULL,
  replica TEXT NOT NULL,
  digest BLOB NOT NULL,
  accepted_at INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (space, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX operations_by_age ON operations (accepted_at);
`
