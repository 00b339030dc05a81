import { personByCode, ringgit, type DocumentKind, type Scalar } from "@sampai/engine";
import { usePack } from "../session/engine-context.tsx";
import { useWords } from "../ui/use-words.ts";
import { definitionOf } from "./field-text.ts";

/** Fields that hold a person's code. */
const PEOPLE = new Set(["ownerRep", "rep"]);

/**
 * A field's value as a person reads it: money in ringgit, times in the workspace's zone, options by their label, people
 * and territories by the names that the reference pack has for them.
 */
export function useValueText(): (kind: DocumentKind, field: string, value: Scalar) => string {
  const { t, language, format } = useWords();
  const pack = usePack();

  const nameOf = (field: string, code: string): string | undefined => {
    if (PEOPLE.has(field)) return pack === null ? undefined : personByCode(pack, code)?.name;
    if (field === "territory") return pack?.territories.find((territory) => territory.code === code)?.name;
    return undefined;
  };
  return (kind, field, value) => {
    if (value === null || value === "") return t("common.none");
    if (typeof value === "boolean") return value ? t("common.yes") : t("common.no");
    if (typeof value === "number") return field.endsWith("Sen") ? ringgit(value) : format.number(value);
    const definition = definitionOf(kind, field);
    if (definition?.type === "time") return format.time(value);
    const name = nameOf(field, value);
    if (name !== undefined) return `${name} (${value})`;
    return definition?.options.find((option) => option.value === value)?.label[language] ?? value;
  };
}
