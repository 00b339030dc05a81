import type { DocumentKind } from "./documents.ts";
import type { DocumentDefinition } from "./field.ts";
import { journeyPlan } from "./plan.ts";
import { storeMaster } from "./store-master.ts";
import { visitRecord } from "./visit.ts";

/** Every kind of document by name. A new one is a file with its field table, its genesis, and a line here. */
export const documentKinds: Readonly<Record<DocumentKind, DocumentDefinition>> = {
  store: storeMaster,
  visit: visitRecord,
  plan: journeyPlan,
};

export function isDocumentKind(kind: string): kind is DocumentKind {
  return Object.hasOwn(documentKinds, kind);
}
