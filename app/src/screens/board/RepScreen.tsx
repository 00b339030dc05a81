import { ringgit } from "@sampai/engine/core";
import { peopleOutline } from "ionicons/icons";
import { useParams } from "react-router-dom";
import { z } from "zod";
import { useBoard } from "../../board/use-board.ts";
import { useRelay } from "../../board/use-relay.ts";
import type { RepRow } from "../../board/board-state.ts";
import { Empty } from "../../ui/Empty.tsx";
import { Fact } from "../../ui/Fact.tsx";
import { Loading } from "../../ui/Loading.tsx";
import { Screen } from "../../ui/Screen.tsx";
import { useWords } from "../../ui/use-words.ts";
import { FailedChecks } from "./FailedChecks.tsx";
import { FindingList } from "./FindingList.tsx";
import { Owed, StandingBadge } from "./standing.tsx";
import { RepDevices } from "./RepDevices.tsx";
import { RepPhotos } from "./RepPhotos.tsx";

/** One rep as headquarters knows the day: figures, devices, photos, what stood out, and how complete that is. */
export function RepScreen() {
  const { t } = useWords();
  const rep = useParams()["rep"] ?? "";
  const board = useBoard("today");
  const row = board.board?.rows.find(({ key }) => key === rep);
  return (
    <Screen title={row === undefined ? rep : `${row.name} (${rep})`} back="/board" wide>
      {row === undefined ? (
        board.board === null && (board.trouble ?? 0) === 0 ? (
          <Loading />
        ) : (
          <div className="card">
            <Empty icon={peopleOutline}>
              {board.board === null ? t("board.error", { status: board.trouble ?? 0 }) : t("repView.unknown")}
            </Empty>
          </div>
        )
      ) : (
        <div className="board">
          <div className="panel">
            <Day row={row} day={board.board?.top.day ?? ""} again={board.changes} />
            <RepPhotos rep={rep} again={board.changes} />
          </div>
          <div className="panel">
            <RepDevices rep={rep} again={board.changes} />
            <FindingList again={board.changes} rep={rep} />
            <FailedChecks again={board.changes} rep={rep} />
          </div>
        </div>
      )}
    </Screen>
  );
}

const daySchema = z.object({ state: z.enum(["open", "closed", "reopened"]), sentence: z.string() });

function Day({ row, day, again }: { row: RepRow; day: string; again: unknown }) {
  const { t, format } = useWords();
  const asked = useRelay(daySchema, `/v1/days/${encodeURIComponent(row.key)}/${day}`, again);
  const { heardAt } = row.completeness;
  return (
    <section className="card" aria-labelledby="rep-day">
      <div className="spread">
        <h2 id="rep-day">{t("today.title")}</h2>
        <StandingBadge row={row} />
      </div>
      <dl className="facts">
        <Fact name={t("board.visits")} value={format.number(row.visits)} />
        <Fact name={t("board.orders")} value={format.number(row.orders)} />
        <Fact name={t("board.value")} value={ringgit(row.valueSen)} />
        <Fact
          name={t("board.stops")}
          value={t("board.stopsOf", { visited: row.stops.visited, planned: row.stops.planned })}
        />
        <Fact name={t("board.heard")} value={heardAt === null ? t("board.never") : format.time(heardAt)} />
        <div>
          <dt>{t("board.owed")}</dt>
          <dd>
            <Owed completeness={row.completeness} />
          </dd>
        </div>
      </dl>
      {asked.state === "here" && (
        <p>
          <span className="strong">{t(`repView.day.${asked.value.state}`)}</span>{" "}
          <span className="soft">{asked.value.sentence}</span>
        </p>
      )}
    </section>
  );
}
