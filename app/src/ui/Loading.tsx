import { useWords } from "./use-words.ts";

/** Grey shapes where rows will be, and the word for those who cannot see them. */
export function Loading({ rows = 3, words }: { rows?: number; words?: string }) {
  const { t } = useWords();
  return (
    <div className="skeleton" role="status">
      <p className={words === undefined ? "visually-hidden" : "soft"}>{words ?? t("common.loading")}</p>
      {Array.from({ length: rows }, (_, row) => (
        <span key={row} aria-hidden="true" />
      ))}
    </div>
  );
}
