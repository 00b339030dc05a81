import { checkmarkDoneOutline } from "ionicons/icons";
import { useState } from "react";
import { z } from "zod";
import { useRelay } from "../../board/use-relay.ts";
import { useIdentity } from "../../session/identity-context.ts";
import { Empty } from "../../ui/Empty.tsx";
import { Loading } from "../../ui/Loading.tsx";
import { useWords } from "../../ui/use-words.ts";

const alertsSchema = z.object({
  alerts: z.array(
    z.object({
      alert: z.string(),
      reason: z.string(),
      /** RFC 3339 UTC. */
      since: z.string(),
      snoozed: z.object({ until: z.string(), by: z.string() }).nullable(),
    }),
  ),
});
type Alert = z.infer<typeof alertsSchema>["alerts"][number];

const SNOOZE_MS = 4 * 3_600_000;

/** What somebody at headquarters should look at now, with its reason; it can be put off for a while, never removed. */
export function AlertList({ again }: { again: unknown }) {
  const { t, format } = useWords();
  const { relay, token } = useIdentity();
  const [snoozes, setSnoozes] = useState(0);
  const asked = useRelay(alertsSchema, "/v1/alerts", `${String(again)}/${snoozes}`);
  const snooze = async ({ alert }: Alert) => {
    const until = new Date(Date.now() + SNOOZE_MS).toISOString();
    await fetch(`${relay}/v1/alerts/${encodeURIComponent(alert)}/snooze`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ until }),
    }).catch(() => undefined);
    setSnoozes((count) => count + 1);
  };
  return (
    <section className="card" aria-labelledby="alerts">
      <h2 id="alerts">{t("board.alerts")}</h2>
      {asked.state === "loading" && <Loading rows={1} />}
      {asked.state === "error" && <p className="soft">{t("board.error", { status: asked.status })}</p>}
      {asked.state === "here" && asked.value.alerts.length === 0 && (
        <Empty icon={checkmarkDoneOutline}>{t("board.noAlerts")}</Empty>
      )}
      {asked.state === "here" && (
        <ul className="stack">
          {asked.value.alerts.map((alert) => (
            <li key={alert.alert} className="version">
              <p className="strong">{alert.reason}</p>
              <div className="spread">
                <span className="soft small">
                  {t("board.since", { time: format.time(alert.since) })}
                  {alert.snoozed !== null && ` · ${t("board.snoozed", { time: format.time(alert.snoozed.until) })}`}
                </span>
                {alert.snoozed === null && (
                  <button
                    type="button"
                    className="text-button small"
                    aria-label={`${t("board.snooze")}: ${alert.reason}`}
                    onClick={() => void snooze(alert)}
                  >
                    {t("board.snooze")}
                  </button>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
