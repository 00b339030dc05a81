import * as day from "../day/operations.ts";
import * as devices from "../devices/operations.ts";
import * as documents from "../documents/operations.ts";
import * as orderLog from "../order-log/operations.ts";
import * as privacy from "../privacy/operations.ts";
import * as proof from "../proof/operations.ts";
import * as photos from "../photos/operations.ts";
import * as reference from "../reference/operations.ts";
import * as trail from "../trail/operations.ts";

/** Every write there is, by name. Each room keeps its own; this is the one place that lists them. */
export const operations = {
  ...day.operations,
  ...devices.operations,
  ...documents.operations,
  ...orderLog.operations,
  ...photos.operations,
  ...privacy.operations,
  ...proof.operations,
  ...reference.operations,
  ...trail.operations,
} as const;

export type Operations = typeof operations;
export type OperationName = keyof Operations;
export type OperationInput<N extends OperationName> = Parameters<Operations[N]>[1];
export type OperationAnswer<N extends OperationName> = ReturnType<Operations[N]>;

/** Every table there is, created where it is not there yet. */
export const tables = [
  day.tables,
  devices.tables,
  documents.tables,
  orderLog.tables,
  photos.tables,
  privacy.tables,
  proof.tables,
  reference.tables,
  trail.tables,
].join("\n");
