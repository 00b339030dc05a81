// The engine's public face: what the app, the relay and scripts may use.
export * from "./core/index.ts";
export * from "./events/event.ts";
export * from "./events/kinds/index.ts";
export type { EventKind } from "./events/kinds/kind.ts";
export * from "./events/order-lines.ts";
export * from "./identity.ts";
export type { Files } from "./storage/files.ts";
export { createMemoryFiles, createMemoryStorage } from "./storage/memory.ts";
export type { Storage, StorageDamage, StorageEntry, StorageWrite } from "./storage/storage.ts";
