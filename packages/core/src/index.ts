/**
 * Tidemark: a local-first store. Every entity is a small Yjs document that is changed at once, kept on the device,
 * replicated through a relay, and knows whether it is safe.
 *
 * @packageDocumentation
 */
export type { StorableValue } from './entity/index.js'
export { isTidemarkError, TidemarkError, type TidemarkErrorCode } from './errors.js'
export type { OperationInfo, OperationStage, OperationState } from './operations/index.js'
export type {
  Cancel,
  Channel,
  ChannelFactory,
  Clock,
  Lifecycle,
  LockManager,
  LockOptions,
  Platform,
  Random,
  Transport,
  TransportClose,
  TransportConnection,
  TransportHandlers,
} from './platform/index.js'
export type { Presence, PresencePeer, PresenceView } from './presence/index.js'
export type {
  EntityMeta,
  EntityRow,
  EntityStatus,
  EntityVersion,
  FieldConflict,
  LiveQuery,
  OrderBy,
  QueryOptions,
  Readable,
} from './query/index.js'
export { type ComparableVersion, compareVersions } from './query/index.js'
export {
  type BlobField,
  type BlobReference,
  blob,
  type Collection,
  type Collections,
  type CounterField,
  collection,
  counter,
  type Draft,
  type DraftCounter,
  type DraftList,
  type DraftSet,
  defineSchema,
  type EntityFields,
  type Field,
  type FieldInput,
  type FieldOutput,
  type Fields,
  type FieldsOf,
  type InsertInput,
  type ListField,
  list,
  type Migration,
  type Migrations,
  type Schema,
  type SetField,
  set,
  type TextField,
  text,
  type XmlField,
  xml,
} from './schema/index.js'
export {
  createMemoryDisk,
  createMemoryStorage,
  type MemoryDisk,
  type MemoryStorageOptions,
  type ReplicaStorage,
} from './storage/index.js'
export {
  type Auth,
  type AuthRequest,
  type CollectionHandle,
  type CollectionTransaction,
  createStore,
  createStoreOn,
  type OpenDocument,
  type OperationHandle,
  type Operations,
  type Snapshot,
  type Snapshots,
  type Store,
  type StoreBase,
  type StoreOptions,
  type StoreStatus,
  type Transaction,
  type TransactionHandle,
} from './store/index.js'
export type { ConnectionStatus } from './sync/index.js'
