import type { DocumentKind } from "./documents.ts";

/** Somebody else who has a document open now. One person on two devices is here twice. */
export interface PersonHere {
  /** The person's code, as the relay knows the connection: nobody can say to be another. */
  readonly person: string;
  readonly role: string;
  readonly device: string;
  /** The field that this person is editing; null where he only looks. */
  readonly editing: string | null;
}

/** Who is at a document now. Nothing of it is kept, and without a connection nobody is seen. */
export interface Presence {
  /**
   * Says that this person has the document open, and which field is being edited, again and again until `leave`.
   * Announcing the same document again replaces what was said.
   */
  announce(kind: DocumentKind, key: string, editing: string | null): void;
  leave(kind: DocumentKind, key: string): void;
  /** Others heard of within the last half minute, ordered by person and device. */
  others(kind: DocumentKind, key: string): readonly PersonHere[];
  /** Called with the document id whenever `others` has changed for it. The answer stops it. */
  onChange(listener: (doc: string) => void): () => void;
}
