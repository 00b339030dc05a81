import type { Completeness, RepRow } from "../../board/board-state.ts";
import { Badge } from "../../ui/Badge.tsx";
import { useWords } from "../../ui/use-words.ts";

/** How a rep's day stands, in a word. */
export function StandingBadge({ row }: { row: RepRow }) {
  const { t } = useWords();
  if (row.onLeave) return <Badge icon="saved">{t("board.onLeave")}</Badge>;
  const { standing } = row.completeness;
  const look = {
    "all-in": { icon: "done", tone: "done" },
    owing: { icon: "waiting", tone: "waits" },
    silent: { icon: "unknown", tone: "person" },
    off: { icon: "saved", tone: "plain" },
  } as const;
  return <Badge {...look[standing]}>{t(`board.standings.${standing}`)}</Badge>;
}

/** What the phone said that it holds. What nobody has said is unknown, never nothing. */
export function Owed({ completeness }: { completeness: Completeness }) {
  const { t, format } = useWords();
  const { owedEvents, owedOrders, owedPhotos, oldestUnsentAt, standing } = completeness;
  if (owedEvents === null) return <>{t("board.unknown")}</>;
  const parts = [
    ...(owedOrders !== null && owedOrders > 0 ? [t("board.owedOrders", { count: owedOrders })] : []),
    ...(owedEvents > 0 ? [t("board.owedEvents", { count: owedEvents })] : []),
    ...(owedPhotos > 0 ? [t("board.owedPhotos", { count: owedPhotos })] : []),
  ];
  if (parts.length === 0) return <>{standing === "silent" ? t("board.unknown") : t("board.nothingOwed")}</>;
  return (
    <>
      {parts.join(", ")}
      {oldestUnsentAt !== null && (
        <span className="soft small"> · {t("board.oldest", { age: format.age(oldestUnsentAt) })}</span>
      )}
    </>
  );
}
