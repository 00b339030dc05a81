import { eventKinds, ringgit, type CapturedFact } from "@sampai/engine";
import { IonIcon } from "@ionic/react";
import { cartOutline, clipboardOutline, storefrontOutline, walkOutline } from "ionicons/icons";
import { Link, useParams } from "react-router-dom";
import { useFacts, usePack } from "../../session/engine-context.tsx";
import { useStoreNames } from "../../stores/store-names.ts";
import { Empty } from "../../ui/Empty.tsx";
import { Screen } from "../../ui/Screen.tsx";
import { StateBadge } from "../../ui/StateBadge.tsx";
import { useWords } from "../../ui/use-words.ts";
import { bodyOf, isKind, visitsOf, type Visit } from "../../visits/visit-history.ts";
import { PhotoSection } from "./PhotoSection.tsx";
import { PlaceLine } from "./PlaceLine.tsx";
import { VisitNotes } from "./VisitNotes.tsx";

/** One visit: what was done in it, and what can still be done until check-out. */
export function VisitScreen() {
  const { t } = useWords();
  const id = useParams()["visit"] ?? "";
  const visit = visitsOf(useFacts()).find((each) => each.id === id);
  const storeName = useStoreNames();
  if (visit === undefined) {
    return (
      <Screen title={t("visit.title")} back="/today">
        <Empty icon={walkOutline}>{t("visit.notFound")}</Empty>
      </Screen>
    );
  }
  const isOpen = visit.checkedOutAt === null;
  return (
    <Screen
      title={storeName(visit.store)}
      back="/today"
      foot={
        isOpen ? (
          <Link className="button wide" to={`/visit/${id}/check-out`}>
            {t("visit.checkOut")}
          </Link>
        ) : undefined
      }
    >
      <Summary visit={visit} />
      <Orders visit={visit} />
      <PhotoSection visit={visit} />
      <Audits visit={visit} />
      <VisitNotes visit={visit} />
      <Link className="button quiet" to={`/store/${encodeURIComponent(visit.store)}`}>
        <IonIcon icon={storefrontOutline} aria-hidden="true" />
        {t("store.details")}
      </Link>
    </Screen>
  );
}

function Summary({ visit }: { visit: Visit }) {
  const { t, format } = useWords();
  const checkIn = visit.facts.find((fact) => isKind(fact, "checkIn"));
  return (
    <section className="card" aria-label={t("visit.title")}>
      <div className="spread">
        <p className="strong">{t("visit.since", { time: format.time(visit.checkedInAt) })}</p>
        {checkIn !== undefined && <StateBadge state={checkIn.state} />}
      </div>
      <PlaceLine place={checkIn?.envelope.place ?? null} />
      {visit.checkedOutAt !== null && (
        <p className="soft">
          {t("visit.until", { time: format.time(visit.checkedOutAt) })}
          {visit.outcome !== null && ` · ${t(`visit.outcomes.${visit.outcome}`)}`}
        </p>
      )}
    </section>
  );
}

function Orders({ visit }: { visit: Visit }) {
  const { t } = useWords();
  const orders = visit.facts.filter((fact) => isKind(fact, "orderPlaced"));
  return (
    <section className="card" aria-labelledby="orders">
      <h2 id="orders">{t("visit.order")}</h2>
      {orders.length > 0 && (
        <ul className="stack">
          {orders.map((order) => (
            <OrderLine key={order.envelope.id} order={order} />
          ))}
        </ul>
      )}
      {visit.checkedOutAt === null && (
        <Link className={orders.length === 0 ? "button" : "button quiet"} to={`/visit/${visit.id}/order`}>
          <IonIcon icon={cartOutline} aria-hidden="true" />
          {orders.length === 0 ? t("visit.newOrder") : t("visit.anotherOrder")}
        </Link>
      )}
    </section>
  );
}

function OrderLine({ order }: { order: CapturedFact }) {
  const { t } = useWords();
  const { lines, totalSen } = bodyOf(order, "orderPlaced");
  return (
    <li className="spread">
      <span className="strong">{t("visit.orderLine", { count: lines.length, total: ringgit(totalSen) })}</span>
      <StateBadge state={order.state} />
    </li>
  );
}

function Audits({ visit }: { visit: Visit }) {
  const { t, language, format } = useWords();
  const pack = usePack();
  const audits = visit.facts.filter((fact) => isKind(fact, "auditSubmitted"));
  const isOpen = visit.checkedOutAt === null;
  return (
    <section className="card" aria-labelledby="audit">
      <h2 id="audit">{eventKinds.auditSubmitted.label[language]}</h2>
      {audits.map((audit) => (
        <p key={audit.envelope.id} className="spread">
          <span>
            {pack?.forms.find(({ form }) => form === bodyOf(audit, "auditSubmitted").form)?.title[language]}{" "}
            {t("visit.auditDone", { time: format.time(audit.envelope.at) })}
          </span>
          <StateBadge state={audit.state} />
        </p>
      ))}
      {isOpen && (
        <Link className="button quiet" to={`/visit/${visit.id}/audit`}>
          <IonIcon icon={clipboardOutline} aria-hidden="true" />
          {t("visit.startAudit")}
        </Link>
      )}
    </section>
  );
}
