import { checkmarkDoneOutline } from "ionicons/icons";
import { useRelay } from "../../board/use-relay.ts";
import { Empty } from "../../ui/Empty.tsx";
import { Loading } from "../../ui/Loading.tsx";
import { useWords } from "../../ui/use-words.ts";

interface Alert {
  readonly name: string;
  readonly since: string;
  readonly reason: string;
  readonly rep: string | null;
}

/** What somebody at headquarters should look at now, with its reason. */
export function AlertList({ again }: { again: unknown }) {
  const { t, format } = useWords();
  const asked = useRelay<{ readonly alerts: readonly Alert[] }>("/v1/alerts", again);
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
            <li key={`${alert.name}/${alert.since}/${alert.reason}`} className="version">
              <p className="strong">{alert.reason}</p>
              <p className="soft small">{format.time(alert.since)}</p>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
