import type { DocumentView, Scalar } from "@sampai/engine";
import type { FieldPlace } from "./field-place.ts";

/** What the view shows at one place: null where nothing is known. A set's member reads as true. */
export function valueAt(view: DocumentView, { field, row }: FieldPlace): Scalar {
  const value = view.value[field];
  if (row === null) return (value ?? null) as Scalar;
  if (Array.isArray(value)) return value.includes(row);
  return ((value ?? {}) as Record<string, Scalar>)[row] ?? null;
}
