import type { Result } from "../core/result.ts";
import type { Label } from "./field.ts";

/** The kinds of document there are. A file per kind holds its schema, fields and rules. */
export type DocumentKind = "store" | "visit" | "plan";

/** A value that a field can hold; `null` is *not known*. */
export type Scalar = string | number | boolean | null;

/** One edit of one field. Fields are the names in the kind's schema; `key` picks the row of a column (`price` of SKU 1047). */
export type FieldEdit =
  | { readonly field: string; readonly key?: string; readonly set: Scalar }
  | { readonly field: string; readonly key?: string; readonly increment: number }
  /** Collaborative text: at character `at`, remove `remove` characters, then insert. */
  | { readonly field: string; readonly at: number; readonly remove: number; readonly insert: string };

/** How a field came to its value: what a person reads when they ask why. */
export interface FieldExplanation {
  readonly field: string;
  readonly key: string | null;
  readonly rule: string;
  readonly value: Scalar;
  /** The one that won, and those that lost: empty where nobody disagreed. */
  readonly winner: Authored | null;
  readonly losers: readonly Authored[];
  /** A sentence for a person. */
  readonly reason: Label;
}

export interface Authored {
  readonly value: Scalar;
  readonly by: string;
  readonly role: string;
  readonly device: string;
  /** RFC 3339 UTC. */
  readonly at: string;
  /** Hash of the change. */
  readonly change: string;
}

/** A field of this document whose edit the relay refused: the author decides what to do. */
export interface NeedsYou {
  readonly doc: string;
  readonly kind: DocumentKind;
  readonly key: string;
  readonly edit: FieldEdit;
  readonly code: string;
  readonly sentence: string;
  /** RFC 3339 UTC of the edit. */
  readonly at: string;
}

export interface DocumentView {
  readonly doc: string;
  readonly kind: DocumentKind;
  readonly key: string;
  readonly heads: readonly string[];
  /** Plain JSON after the conflict rules: the same on every replica with these heads and this pack. */
  readonly value: Readonly<Record<string, unknown>>;
  /** Fields over which somebody disagreed, by `field` or `field/key`. */
  readonly conflicts: readonly string[];
  /** Whether changes made here are not yet stored at the relay. */
  readonly dirty: boolean;
}

export interface DocumentSummary {
  readonly doc: string;
  readonly kind: DocumentKind;
  readonly key: string;
  /** What a list shows without loading the document, such as the store's name, town and status. */
  readonly summary: Readonly<Record<string, Scalar>>;
  readonly dirty: boolean;
}

export type DocumentError =
  | { readonly code: "document.not-here" }
  | { readonly code: "document.exists" }
  | { readonly code: "document.field"; readonly detail: string }
  | { readonly code: "document.value"; readonly detail: string }
  | { readonly code: "document.storage"; readonly detail: string };

/** The knowledge on this device: documents that many people edit and that merge without an arbiter. */
export interface Documents {
  /** From the local summary index: loads no document. Ordered by key. */
  list(kind: DocumentKind): readonly DocumentSummary[];
  view(kind: DocumentKind, key: string): Promise<Result<DocumentView, DocumentError>>;
  /** Makes the document here, offline too; everybody who makes the same one makes the same bytes. */
  create(kind: DocumentKind, key: string, edits: readonly FieldEdit[]): Promise<Result<DocumentView, DocumentError>>;
  /** Resolves when the edit is durable here and noted as not yet at the relay. */
  edit(kind: DocumentKind, key: string, edits: readonly FieldEdit[]): Promise<Result<DocumentView, DocumentError>>;
  explain(
    kind: DocumentKind,
    key: string,
    field: string,
    row?: string,
  ): Promise<Result<FieldExplanation, DocumentError>>;
  /** Edits of this device that the relay refused. */
  needsYou(): readonly NeedsYou[];
  dismiss(item: NeedsYou): Promise<void>;
  /** Documents with changes that the relay does not hold yet, by document id. */
  dirty(): readonly string[];
  /** Called with the document id (or null: many) after each local or remote change. The answer stops it. */
  onChange(listener: (doc: string | null) => void): () => void;
}
