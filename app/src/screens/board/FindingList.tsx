import { checkmarkDoneOutline } from "ionicons/icons";
import { Link } from "react-router-dom";
import { z } from "zod";
import { useRelay } from "../../board/use-relay.ts";
import { Empty } from "../../ui/Empty.tsx";
import { Loading } from "../../ui/Loading.tsx";
import { useWords } from "../../ui/use-words.ts";

const findingsSchema = z.object({
  rows: z.array(
    z.object({
      event: z.string(),
      detector: z.string(),
      sentence: z.string(),
      rep: z.string(),
      store: z.string().nullable(),
    }),
  ),
});

const SHOWN = 12;

/** What the detectors noticed: questions to ask, each leading to the fact it is about. */
export function FindingList({ again, rep }: { again: unknown; rep?: string }) {
  const { t } = useWords();
  const asked = useRelay(
    findingsSchema,
    `/v1/findings?count=${SHOWN}${rep === undefined ? "" : `&rep=${encodeURIComponent(rep)}`}`,
    again,
  );
  return (
    <section className="card" aria-labelledby="findings">
      <h2 id="findings">{t("board.findings")}</h2>
      <p className="soft small">{t("board.findingHint")}</p>
      {asked.state === "loading" && <Loading rows={1} />}
      {asked.state === "error" && <p className="soft">{t("board.error", { status: asked.status })}</p>}
      {asked.state === "here" && asked.value.rows.length === 0 && (
        <Empty icon={checkmarkDoneOutline}>{t("board.noFindings")}</Empty>
      )}
      {asked.state === "here" && (
        <ul className="stack">
          {asked.value.rows.map((finding) => (
            <li key={`${finding.event}/${finding.detector}`} className="version">
              <p>{finding.sentence}</p>
              <p className="soft small">
                <Link to={`/orders/${finding.event}`}>
                  {finding.rep}
                  {finding.store !== null && ` · ${finding.store}`}
                </Link>
              </p>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
