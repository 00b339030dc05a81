import { IonIcon } from "@ionic/react";
import { calendarOutline, chevronForwardOutline, storefrontOutline } from "ionicons/icons";
import { useState } from "react";
import { Link } from "react-router-dom";
import { takePlace } from "../device/location.ts";
import { useDocument, useFacts, useSummaries } from "../session/engine-context.tsx";
import { useIdentity } from "../session/identity-context.ts";
import { useCapture } from "../session/use-capture.ts";
import { useWorkingDay } from "../session/use-working-day.ts";
import { useStoreNames } from "../stores/store-names.ts";
import { StoreSearch } from "../stores/StoreSearch.tsx";
import { Badge } from "../ui/Badge.tsx";
import { Empty } from "../ui/Empty.tsx";
import { Loading } from "../ui/Loading.tsx";
import { Problem } from "../ui/Problem.tsx";
import { Screen } from "../ui/Screen.tsx";
import { useWords } from "../ui/use-words.ts";
import { planKey, stopsOf, type Stop } from "../visits/journey.ts";
import { openVisit, visitsOf } from "../visits/visit-history.ts";

/** The rep's day: begin it, see the plan, go on with the open visit, find any other store. */
export function TodayScreen() {
  const { t, format, zone } = useWords();
  const identity = useIdentity();
  const day = useWorkingDay();
  const visits = visitsOf(useFacts());
  const open = openVisit(visits);
  const storeName = useStoreNames();
  const key = planKey(identity.rep, day.nowMs, zone);
  const plan = useDocument("plan", key);
  const stores = useSummaries("store");
  const stops = plan.state === "here" ? stopsOf(key, plan.value.value, day.today, visits) : [];

  return (
    <Screen title={t("today.title")}>
      <Attendance />
      {open !== null && (
        <section className="card" aria-labelledby="open-visit">
          <div className="stack">
            <h2 id="open-visit">{t("today.openVisit", { store: storeName(open.store) })}</h2>
            <p className="soft">{t("today.openSince", { time: format.time(open.checkedInAt) })}</p>
          </div>
          <Link className="button" to={`/visit/${open.id}`}>
            {t("today.goOn")}
          </Link>
        </section>
      )}
      <section className="card flush" aria-labelledby="plan">
        <header>
          <h2 id="plan">{t("today.plan")}</h2>
          {stops.length > 0 && (
            <span className="soft">
              {t("today.progress", {
                done: stops.filter((stop) => stop.state === "visited").length,
                total: stops.length,
              })}
            </span>
          )}
        </header>
        {plan.state === "loading" && <Loading />}
        {plan.state !== "loading" && stops.length === 0 && <Empty icon={calendarOutline}>{t("today.noPlan")}</Empty>}
        <ol className="rows">
          {stops.map((stop) => (
            <li key={stop.plan}>
              <StopRow stop={stop} />
            </li>
          ))}
        </ol>
      </section>
      <section className="card" aria-labelledby="unplanned">
        <h2 id="unplanned">{t("today.unplanned")}</h2>
        {stores.length === 0 ? (
          <Empty icon={storefrontOutline}>{t("today.noStores")}</Empty>
        ) : (
          <StoreSearch stores={stores} to={(store) => `/check-in/${encodeURIComponent(store)}`} />
        )}
      </section>
    </Screen>
  );
}

function Attendance() {
  const { t, format } = useWords();
  const day = useWorkingDay();
  const { capture, busy, problem } = useCapture();
  const [locating, setLocating] = useState(false);

  const start = async () => {
    setLocating(true);
    // The person has just begun the day: from here on, until its end, location may be taken.
    const place = await takePlace(true);
    setLocating(false);
    await capture({ kind: "attendanceStarted", body: { odometerKm: null }, place });
  };

  return (
    <section className="card hero" aria-label={format.day(day.nowMs)}>
      <p className="soft">{format.day(day.nowMs)}</p>
      {day.startedAt === null || (!day.working && day.endedAt !== null) ? (
        <>
          {day.endedAt !== null && <p className="strong">{t("today.endedAt", { time: format.time(day.endedAt) })}</p>}
          <button
            type="button"
            className="button on-dark wide"
            disabled={busy || locating}
            onClick={() => void start()}
          >
            {busy || locating ? t("today.starting") : t("today.startDay")}
          </button>
          <p className="soft small">{t("today.startHint")}</p>
        </>
      ) : (
        <div className="spread">
          <p className="strong">{t("today.startedAt", { time: format.time(day.startedAt) })}</p>
          <Link className="button on-dark" to="/day">
            {t("today.endDay")}
          </Link>
        </div>
      )}
      <Problem text={problem} />
    </section>
  );
}

function StopRow({ stop }: { stop: Stop }) {
  const { t } = useWords();
  const storeName = useStoreNames();
  const to =
    stop.visit === null
      ? `/check-in/${encodeURIComponent(stop.store)}?plan=${encodeURIComponent(stop.plan)}`
      : `/visit/${stop.visit.id}`;
  const badge = {
    planned: <Badge icon="waiting">{t("today.stop.planned")}</Badge>,
    skipped: <Badge icon="waiting">{t("today.stop.skipped")}</Badge>,
    "here-now": (
      <Badge icon="here" tone="now">
        {t("today.stop.here-now")}
      </Badge>
    ),
    visited: (
      <Badge icon="done" tone="done">
        {t("today.stop.visited")}
      </Badge>
    ),
  }[stop.state];
  return (
    <Link className="row" to={to}>
      <span className="stop-number" data-state={stop.state} aria-hidden="true">
        {stop.number}
      </span>
      <span className="grow">
        <span className="strong">{storeName(stop.store)}</span>
        <span className="inline">
          <span className="soft">{stop.store}</span>
          {badge}
        </span>
        {stop.note !== "" && <span className="soft small">{stop.note}</span>}
      </span>
      <IonIcon icon={chevronForwardOutline} aria-hidden="true" />
    </Link>
  );
}
