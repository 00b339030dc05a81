import type { Authored, DocumentView } from "@sampai/engine";
import { useState, type ReactNode } from "react";
import { useEngine } from "../../session/engine-context.tsx";
import { fieldLabel } from "../../stores/field-text.ts";
import { useValueText } from "../../stores/use-value-text.ts";
import { useAuthorWords } from "../../stores/author-text.ts";
import { usePersonName } from "../../stores/person-names.ts";
import { Problem } from "../../ui/Problem.tsx";
import { useWords } from "../../ui/use-words.ts";
import { useExplanation } from "./use-explanation.ts";
import type { FieldPlace } from "./field-place.ts";

/** Two people wrote the same field: both values, who and when, the rule that decided, and the way to decide otherwise. */
export function ConflictCard({ view, place }: { view: DocumentView; place: FieldPlace }) {
  const { t, language } = useWords();
  const engine = useEngine();
  const explanation = useExplanation(view, place);
  const [problem, setProblem] = useState<string | null>(null);
  if (explanation === null || explanation.winner === null) return null;
  const label = fieldLabel("store", place.field, language);

  const keep = async (other: Authored) => {
    const edit = { field: place.field, ...(place.row === null ? {} : { key: place.row }), set: other.value };
    const result = await engine.documents.edit(view.kind, view.key, [edit]);
    setProblem(
      result.ok
        ? null
        : t(`store.errors.${result.error.code}`, { detail: "detail" in result.error ? result.error.detail : "" }),
    );
  };

  return (
    <article className="card advice" aria-label={label}>
      <h3>
        {label}
        {place.row !== null && ` · ${place.row}`}
      </h3>
      <div className="versus">
        <Version title={t("store.conflict.wins")} authored={explanation.winner} field={place.field} wins />
        {explanation.losers.map((loser) => (
          <Version key={loser.change} title={t("store.conflict.other")} authored={loser} field={place.field}>
            <button type="button" className="button quiet" onClick={() => void keep(loser)}>
              {t("store.conflict.keep")}
            </button>
          </Version>
        ))}
      </div>
      <p>{explanation.reason[language]}</p>
      <Problem text={problem} />
    </article>
  );
}

interface VersionProps {
  readonly title: string;
  readonly authored: Authored;
  readonly field: string;
  readonly wins?: boolean;
  readonly children?: ReactNode;
}

/** One of the values, with who wrote it and when. */
function Version({ title, authored, field, wins = false, children }: VersionProps) {
  const { t, format } = useWords();
  const personName = usePersonName();
  const authors = useAuthorWords();
  const valueText = useValueText();
  return (
    <div className="version" data-wins={wins}>
      <span className="soft small">{title}</span>
      <span className="value">{valueText("store", field, authored.value)}</span>
      <span className="small">
        {t("store.conflict.by", { by: personName(authored.by), role: authors.role(authored.role) })}
      </span>
      <span className="soft small">{format.exactTime(authored.at)}</span>
      {children}
    </div>
  );
}
