import { z } from "zod";
import type { DocumentDefinition, FieldDefinition, FieldType } from "./field.ts";
import type { planFields } from "./plan.ts";
import type { storeFields } from "./store-master.ts";
import type { visitFields } from "./visit.ts";

type ValueOfType<T extends FieldType> = T extends "integer" | "number" | "counter"
  ? number
  : T extends "boolean"
    ? boolean
    : string;
type Typed = { readonly type: FieldType; readonly column: boolean };
type ValueOfField<F extends Typed> = F["type"] extends "set"
  ? readonly string[]
  : F["column"] extends true
    ? Readonly<Record<string, ValueOfType<F["type"]>>>
    : F["type"] extends "text" | "counter"
      ? ValueOfType<F["type"]>
      : ValueOfType<F["type"]> | null;

/** A document's value as a view gives it: rows by key, sets as sorted lists, null where nothing is known. */
export type DocumentValue<F extends Readonly<Record<string, Typed>>> = {
  readonly [K in keyof F]: ValueOfField<F[K]>;
};
export type StoreMaster = DocumentValue<typeof storeFields>;
export type VisitRecord = DocumentValue<typeof visitFields>;
export type JourneyPlan = DocumentValue<typeof planFields>;

/**
 * The schema of a view's value, for whoever reads documents from outside. Fields that a newer version added are let
 * through: an older reader does not know them, and they are not wrong.
 */
export function valueSchema(definition: DocumentDefinition): z.ZodType<Readonly<Record<string, unknown>>> {
  const shape = Object.entries(definition.fields).map(([name, field]) => [name, fieldSchema(field)] as const);
  return z.looseObject(Object.fromEntries(shape));
}

function fieldSchema(field: FieldDefinition): z.ZodType {
  if (field.type === "set") return z.array(z.string());
  if (field.column) return z.record(z.string(), scalarSchema(field));
  return field.type === "text" || field.type === "counter" ? scalarSchema(field) : scalarSchema(field).nullable();
}

function scalarSchema({ type, min, max, options }: FieldDefinition): z.ZodType {
  switch (type) {
    case "code":
    case "words":
    case "text":
      return z.string().max(max);
    case "integer":
      return z.int().min(min).max(max);
    case "counter":
      return z.int().min(0);
    case "number":
      return z.number().min(min).max(max);
    case "boolean":
      return z.boolean();
    case "set":
      return z.literal(true);
    case "enum":
      return z.enum(options.map((option) => option.value));
    case "date":
      return z.iso.date();
    case "time":
      return z.iso.datetime({ offset: false });
  }
}
