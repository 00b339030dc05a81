import type { DocumentKind } from "@sampai/engine";
import { useEffect } from "react";
import { useEngine } from "../../session/engine-context.tsx";
import { useIdentity } from "../../session/identity-context.ts";
import { useChanging } from "../../session/use-changing.ts";
import { fieldLabel } from "../../stores/field-text.ts";
import { usePersonName } from "../../stores/person-names.ts";
import { useWords } from "../../ui/use-words.ts";

interface PeopleHereProps {
  readonly kind: DocumentKind;
  readonly code: string;
  /** The field that this person is editing, for the others to see. */
  readonly editing: string | null;
}

/** Tells the others that this person is here, and shows who else is. Nothing is shown where nobody is. */
export function PeopleHere({ kind, code, editing }: PeopleHereProps) {
  const { t, language } = useWords();
  const { presence } = useEngine();
  const { rep } = useIdentity();
  const nameOf = usePersonName();
  useEffect(() => {
    presence.announce(kind, code, editing);
  }, [presence, kind, code, editing]);
  useEffect(() => () => presence.leave(kind, code), [presence, kind, code]);
  const others = useChanging(
    (changed) => presence.onChange(changed),
    () => presence.others(kind, code).filter(({ person }) => person !== rep),
    [presence, kind, code, rep],
  );
  // Somebody on two devices is one person; where he edits says more than where he looks.
  const people = new Map<string, string | null>();
  for (const { person, editing: field } of others) people.set(person, field ?? people.get(person) ?? null);
  return (
    <div role="status" aria-label={t("store.peopleHere")}>
      {people.size > 0 && (
        <ul className="people-here">
          {[...people].map(([person, field]) => {
            const name = nameOf(person);
            return (
              <li key={person}>
                <span className="avatar" aria-hidden="true">
                  {initials(name)}
                </span>
                {field === null
                  ? t("store.isHere", { name })
                  : t("store.isEditing", { name, field: fieldLabel(kind, field, language) })}
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}

/** The first letters of a name's first two words. */
function initials(name: string): string {
  return name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => String.fromCodePoint(word.codePointAt(0) ?? 32))
    .join("")
    .toUpperCase();
}
