import { documentKinds, type DocumentKind, type FieldDefinition } from "@sampai/engine";
import type { Language } from "../i18n/index.ts";

export function definitionOf(kind: DocumentKind, field: string): FieldDefinition | undefined {
  const { fields } = documentKinds[kind];
  return Object.hasOwn(fields, field) ? fields[field] : undefined;
}

/** The field's name for people, from its own table. */
export function fieldLabel(kind: DocumentKind, field: string, language: Language): string {
  return definitionOf(kind, field)?.label[language] ?? field;
}
