import type { DocumentView } from "@sampai/engine";
import { useAuthorWords } from "../../stores/author-text.ts";
import { usePersonName } from "../../stores/person-names.ts";
import { useWords } from "../../ui/use-words.ts";
import { useExplanation } from "./use-explanation.ts";
import type { FieldPlace } from "./field-place.ts";

/** Under a field: who wrote its value and when, and what the rule said where somebody disagreed. */
export function FieldWhy({ view, place }: { view: DocumentView; place: FieldPlace }) {
  const { t, language, format } = useWords();
  const personName = usePersonName();
  const authors = useAuthorWords();
  const explanation = useExplanation(view, place);
  if (explanation === null) return <p className="soft small">{t("common.loading")}</p>;
  const { winner } = explanation;
  return (
    <div className="stack small" role="status">
      <p>
        {winner === null
          ? t("store.explain.unwritten")
          : t("store.explain.writtenBy", {
              by: personName(winner.by),
              role: authors.role(winner.role),
              time: format.time(winner.at),
            })}
      </p>
      {winner !== null && (
        <p>{explanation.losers.length === 0 ? t("store.explain.settled") : explanation.reason[language]}</p>
      )}
      <p className="soft">{t("store.conflict.rule", { rule: authors.rule(explanation.rule) })}</p>
    </div>
  );
}
