import { ringgit } from "@sampai/engine/core";
import { peopleOutline } from "ionicons/icons";
import { Link } from "react-router-dom";
import { byUrgency, type BoardTop, type RepRow } from "../../board/board-state.ts";
import { useBoard, type Board } from "../../board/use-board.ts";
import { Badge } from "../../ui/Badge.tsx";
import { Empty } from "../../ui/Empty.tsx";
import { Loading } from "../../ui/Loading.tsx";
import { Screen } from "../../ui/Screen.tsx";
import { useWords } from "../../ui/use-words.ts";
import { AlertList } from "./AlertList.tsx";
import { FailedChecks } from "./FailedChecks.tsx";
import { FindingList } from "./FindingList.tsx";
import { Owed, StandingBadge } from "./standing.tsx";

/** Headquarters' day: how complete it is first, then the figures, then who owes what and what stood out. */
export function BoardScreen() {
  const { t } = useWords();
  const board = useBoard("today");
  return (
    <Screen title={t("board.title")} wide>
      {board.board === null ? (
        board.trouble === null || board.trouble === 0 ? (
          <Loading rows={5} />
        ) : (
          <div className="card">
            <p className="strong">
              {board.trouble === 403 ? t("board.notHq") : t("board.error", { status: board.trouble })}
            </p>
          </div>
        )
      ) : (
        <div className="board">
          <CompletenessLine board={board} top={board.board.top} />
          <Totals top={board.board.top} />
          <Reps rows={byUrgency(board.board.rows)} />
          <div className="panel">
            <AlertList again={board.changes} />
            <FindingList again={board.changes} />
            <FailedChecks again={board.changes} />
          </div>
        </div>
      )}
    </Screen>
  );
}

function CompletenessLine({ board, top }: { board: Board; top: BoardTop }) {
  const { t, format } = useWords();
  const heard = top.allIn + top.owing.reps > 0;
  return (
    <section className="card hero span" aria-live="polite" aria-label={t("board.title")}>
      <div className="spread">
        <p className="strong">
          {!heard
            ? t("board.nobody")
            : top.completeTo === null
              ? t("board.notKnown")
              : t("board.completeTo", { time: format.time(top.completeTo) })}
        </p>
        {board.live ? (
          <Badge icon="done" tone="done">
            {t("board.live")}
          </Badge>
        ) : (
          <Badge icon="alert" tone="waits">
            {t("board.stale", { time: board.heardAt === null ? "–" : format.time(board.heardAt) })}
          </Badge>
        )}
      </div>
      {top.owing.reps > 0 && (
        <p className="soft">
          {t("board.owing", {
            count: top.owing.reps,
            orders: top.owing.orders,
            events: top.owing.events,
            photos: top.owing.photos,
          })}
        </p>
      )}
      {top.silent.reps > 0 && (
        <p className="soft">
          {t("board.silent", { count: top.silent.reps })}
          {top.silent.since !== null && ` (${t("board.silentSince", { time: format.time(top.silent.since) })})`}
        </p>
      )}
    </section>
  );
}

function Totals({ top }: { top: BoardTop }) {
  const { t, format } = useWords();
  const incomplete = top.owing.reps + top.silent.reps > 0;
  const { stops } = top;
  const notes = [
    ...(stops.owed > 0 ? [t("board.stopsOwed", { count: stops.owed })] : []),
    ...(stops.unknown > 0 ? [t("board.stopsUnknown", { count: stops.unknown })] : []),
  ];
  return (
    <div className="totals span">
      <Total name={t("board.visits")} value={format.number(top.visits)} incomplete={incomplete} />
      <Total
        name={t("board.orders")}
        value={format.number(top.orders)}
        incomplete={incomplete}
        note={top.heldOrders > 0 ? t("board.held", { count: top.heldOrders, value: ringgit(top.heldValueSen) }) : ""}
      />
      <Total name={t("board.value")} value={ringgit(top.valueSen)} incomplete={incomplete} />
      <Total
        name={t("board.stops")}
        value={t("board.stopsOf", { visited: stops.visited, planned: stops.planned })}
        incomplete={false}
        note={notes.join(" · ")}
      />
    </div>
  );
}

/** A figure that is not complete says so beside it: it is a lower bound, not the day's result. */
function Total({
  name,
  value,
  incomplete,
  note = "",
}: {
  name: string;
  value: string;
  incomplete: boolean;
  note?: string;
}) {
  const { t } = useWords();
  return (
    <section className="card" aria-label={name}>
      <div className="stack">
        <p className="soft">{name}</p>
        <p className="figure">{value}</p>
        <p className="soft small">
          {[...(incomplete ? [t("board.incomplete")] : []), ...(note === "" ? [] : [note])].join(" · ")}
        </p>
      </div>
    </section>
  );
}

function Reps({ rows }: { rows: readonly RepRow[] }) {
  const { t, format } = useWords();
  const columns = [
    t("board.rep"),
    t("board.standing"),
    t("board.heard"),
    t("board.owed"),
    t("board.stops"),
    t("board.visits"),
    t("board.orders"),
    t("board.value"),
  ] as const;
  return (
    <section className="card flush" aria-labelledby="reps">
      <header>
        <h2 id="reps">{t("board.reps")}</h2>
      </header>
      {rows.length === 0 ? (
        <Empty icon={peopleOutline}>{t("board.empty")}</Empty>
      ) : (
        <div className="table-scroll" tabIndex={0} role="group" aria-labelledby="reps">
          <table className="stacking">
            <thead>
              <tr>
                {columns.map((column, index) => (
                  <th key={column} scope="col" className={index >= 5 ? "number" : ""}>
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.key} data-rep={row.key}>
                  <td className="lead" data-label={columns[0]}>
                    <Link className="strong" to={`/reps/${encodeURIComponent(row.key)}`}>
                      {row.name}
                    </Link>{" "}
                    <span className="soft small">{row.key}</span>
                  </td>
                  <td data-label={columns[1]}>
                    <StandingBadge row={row} />
                  </td>
                  <td data-label={columns[2]}>
                    {row.completeness.heardAt === null ? t("board.never") : format.time(row.completeness.heardAt)}
                  </td>
                  <td data-label={columns[3]}>
                    <Owed completeness={row.completeness} />
                  </td>
                  <td data-label={columns[4]}>
                    {row.stops.planned === 0
                      ? "–"
                      : t("board.stopsOf", { visited: row.stops.visited, planned: row.stops.planned })}
                    {row.stops.unknown > 0 && (
                      <span className="soft small"> · {t("board.stopsUnknown", { count: row.stops.unknown })}</span>
                    )}
                  </td>
                  <td className="number" data-label={columns[5]}>
                    {format.number(row.visits)}
                  </td>
                  <td className="number" data-label={columns[6]}>
                    {format.number(row.orders)}
                  </td>
                  <td className="number" data-label={columns[7]}>
                    {ringgit(row.valueSen)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
