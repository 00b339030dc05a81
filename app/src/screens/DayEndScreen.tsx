import { dayIn, msFromUtc, ringgit } from "@sampai/engine";
import { useState } from "react";
import { Link } from "react-router-dom";
import { takePlace } from "../device/location.ts";
import { useEngine, useFacts, useStatus } from "../session/engine-context.tsx";
import { useCapture } from "../session/use-capture.ts";
import { useForm } from "../session/use-form.ts";
import { useChanging } from "../session/use-changing.ts";
import { useWorkingDay } from "../session/use-working-day.ts";
import { useStoreNames } from "../stores/store-names.ts";
import { Badge } from "../ui/Badge.tsx";
import { Problem } from "../ui/Problem.tsx";
import { Screen } from "../ui/Screen.tsx";
import { useWords } from "../ui/use-words.ts";
import { bodyOf, isKind, openVisit, visitsOf } from "../visits/visit-history.ts";

const nothing = () => null;

/** The end of the day: what was done, whether all of it is at HQ, and whether the phone may be switched off. */
export function DayEndScreen() {
  const { t, format, zone } = useWords();
  const facts = useFacts();
  const status = useStatus();
  const day = useWorkingDay();
  const storeName = useStoreNames();
  const today = facts.filter(({ envelope }) => dayIn(msFromUtc(envelope.at), zone) === day.today);
  const orders = today.filter((fact) => isKind(fact, "orderPlaced"));
  // The close itself is not part of what it declares, as in HQ's certificate.
  const entries = today.filter((fact) => !isKind(fact, "dayClosed"));
  const done = entries.filter(({ state }) => state === "at-hq").length;
  const open = openVisit(visitsOf(facts));
  const { photos, photoBytes } = status.queue;

  return (
    <Screen title={t("day.title")}>
      <section className="card hero" aria-live="polite">
        <p className="big">
          {status.safeToSwitchOff
            ? t("day.allIn", { done, total: entries.length })
            : t("day.notYet", { done, total: entries.length })}
        </p>
        {photos > 0 && <p className="soft">{t("day.photosApart", { count: photos, size: format.size(photoBytes) })}</p>}
      </section>
      <section className="card" aria-labelledby="summary">
        <h2 id="summary">{t("day.summary")}</h2>
        <dl className="facts">
          <Figure name={t("day.visits")} value={format.number(visitsOf(today).length)} />
          <Figure name={t("day.orders")} value={format.number(orders.length)} />
          <Figure
            name={t("day.value")}
            value={ringgit(orders.reduce((sum, order) => sum + bodyOf(order, "orderPlaced").totalSen, 0))}
          />
          <Figure
            name={t("day.photos")}
            value={format.number(today.filter((fact) => isKind(fact, "photoCaptured")).length)}
          />
        </dl>
      </section>
      {open !== null && (
        <section className="card advice">
          <p>{t("day.stillOpen", { store: storeName(open.store) })}</p>
          <Link className="button quiet" to={`/visit/${open.id}`}>
            {t("today.goOn")}
          </Link>
        </section>
      )}
      <Certificate />
      <CloseDay canEnd={open === null} />
    </Screen>
  );
}

/** What HQ has signed of today: whether all of it is there, over all of this person's devices. */
function Certificate() {
  const { t, format } = useWords();
  const engine = useEngine();
  const { today } = useWorkingDay();
  const held = useChanging(
    (changed) => engine.days.onCertified(changed),
    () => engine.days.of(today),
    [engine, today],
  );
  if (held === undefined) return null;
  const { standing, events, photos, number } = held.certificate;
  return (
    <section className="card" aria-labelledby="certificate">
      <h2 id="certificate">{t("day.certificate")}</h2>
      <p>
        <Badge icon={standing === "complete" ? "done" : "alert"} tone={standing === "complete" ? "done" : "waits"}>
          {t(`day.standing.${standing}`)}
        </Badge>
      </p>
      <p>
        {t("day.certified", { here: events.here, declared: events.declared })}
        {photos.owed > 0 && ` ${t("day.certifiedPhotos", { owed: photos.owed, captured: photos.captured })}`}
      </p>
      <p className="soft small">{t("day.certificateNumber", { number, position: format.number(held.position) })}</p>
    </section>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function CloseDay({ canEnd }: { canEnd: boolean }) {
  const { t, format } = useWords();
  const day = useWorkingDay();
  const { capture, busy, problem } = useCapture();
  const ending = useForm("attendance-ended", nothing);
  const [locating, setLocating] = useState(false);

  const end = async () => {
    if (ending.id === null) return;
    setLocating(true);
    const place = await takePlace(day.working);
    setLocating(false);
    await capture({ kind: "attendanceEnded", id: ending.id, body: { odometerKm: null }, place });
  };
  const close = async () => {
    const body = { day: day.today, events: day.events, photos: day.photos };
    await capture({ kind: "dayClosed", body, place: null });
  };

  return (
    <section className="card">
      <Problem text={problem} />
      {day.startedAt === null && !day.closed && day.events === 0 && <p className="soft">{t("day.notStarted")}</p>}
      {day.working && (
        <>
          <p>{t("today.startedAt", { time: format.time(day.startedAt ?? "") })}</p>
          <button type="button" className="button" disabled={!canEnd || busy || locating} onClick={() => void end()}>
            {t("day.end")}
          </button>
          <p className="soft small">{t("day.endHint")}</p>
        </>
      )}
      {!day.working && day.endedAt !== null && <p>{t("today.endedAt", { time: format.time(day.endedAt) })}</p>}
      {!day.working && day.closed && (
        <p>
          <Badge icon="done" tone="done">
            {t("day.closed")}
          </Badge>
        </p>
      )}
      {!day.working && !day.closed && day.events > 0 && (
        <>
          <button type="button" className="button" disabled={!canEnd || busy} onClick={() => void close()}>
            {t("day.close")}
          </button>
          <p className="soft small">{t("day.closeHint")}</p>
        </>
      )}
    </section>
  );
}
