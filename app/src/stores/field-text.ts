import { documentKinds, ringgit, type DocumentKind, type FieldDefinition, type Scalar } from "@sampai/engine";
import type { Language } from "../i18n/index.ts";
import type { Format } from "../ui/format.ts";

export function definitionOf(kind: DocumentKind, field: string): FieldDefinition | undefined {
  const { fields } = documentKinds[kind];
  return Object.hasOwn(fields, field) ? fields[field] : undefined;
}

/** The field's name for people, from its own table. */
export function fieldLabel(kind: DocumentKind, field: string, language: Language): string {
  return definitionOf(kind, field)?.label[language] ?? field;
}

/** A value as a person reads it: money in ringgit, times in the workspace's zone, options by their label. */
export function valueText(
  kind: DocumentKind,
  field: string,
  value: Scalar,
  words: {
    readonly language: Language;
    readonly format: Format;
    readonly yes: string;
    readonly no: string;
    readonly none: string;
  },
): string {
  const definition = definitionOf(kind, field);
  if (value === null || value === "") return words.none;
  if (typeof value === "boolean") return value ? words.yes : words.no;
  if (typeof value === "number") return field.endsWith("Sen") ? ringgit(value) : words.format.number(value);
  if (definition?.type === "time") return words.format.time(value);
  const option = definition?.options.find((each) => each.value === value);
  return option?.label[words.language] ?? value;
}
