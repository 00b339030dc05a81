import { checkmarkDoneOutline } from "ionicons/icons";
import { Link } from "react-router-dom";
import { z } from "zod";
import { useRelay } from "../../board/use-relay.ts";
import { Empty } from "../../ui/Empty.tsx";
import { Loading } from "../../ui/Loading.tsx";
import { useWords } from "../../ui/use-words.ts";

const failedChecksSchema = z.object({
  rows: z.array(
    z.object({
      event: z.string(),
      rule: z.string(),
      sentence: z.object({ en: z.string(), ms: z.string() }),
      rep: z.string(),
      store: z.string().nullable(),
    }),
  ),
});

const SHOWN = 12;

/** Business rules that said no, newest first, each leading to the fact it is about. */
export function FailedChecks({ again, rep }: { again: unknown; rep?: string }) {
  const { t, language } = useWords();
  const asked = useRelay(
    failedChecksSchema,
    `/v1/verdicts?count=${SHOWN}${rep === undefined ? "" : `&rep=${encodeURIComponent(rep)}`}`,
    again,
  );
  return (
    <section className="card" aria-labelledby="failed-checks">
      <h2 id="failed-checks">{t("board.checks")}</h2>
      {asked.state === "loading" && <Loading rows={1} />}
      {asked.state === "error" && <p className="soft">{t("board.error", { status: asked.status })}</p>}
      {asked.state === "here" && asked.value.rows.length === 0 && (
        <Empty icon={checkmarkDoneOutline}>{t("board.noChecks")}</Empty>
      )}
      {asked.state === "here" && (
        <ul className="stack">
          {asked.value.rows.map((check) => (
            <li key={`${check.event}/${check.rule}`} className="version">
              <p>{check.sentence[language]}</p>
              <p className="soft small">
                <Link to={`/orders/${check.event}`}>
                  {check.rep}
                  {check.store !== null && ` · ${check.store}`}
                </Link>
              </p>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
