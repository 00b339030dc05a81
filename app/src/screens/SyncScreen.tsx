import {
  dayIn,
  eventKinds,
  kindByName,
  msFromUtc,
  ringgit,
  type CapturedFact,
  type NeedsYou,
  type OwedPhoto,
} from "@sampai/engine";
import type { Attempt } from "@sampai/engine/wire";
import { IonIcon } from "@ionic/react";
import { checkmarkDoneOutline, cloudOfflineOutline, refreshOutline } from "ionicons/icons";
import { useState } from "react";
import { Link } from "react-router-dom";
import { useEngine, useFacts, usePhotos, useStatus, useSummaries } from "../session/engine-context.tsx";
import { useIdentity } from "../session/identity-context.ts";
import { useChanging } from "../session/use-changing.ts";
import { useStoreNames } from "../stores/store-names.ts";
import { useRefusalWords } from "../stores/use-refusal-words.ts";
import { useValueText } from "../stores/use-value-text.ts";
import { fieldLabel } from "../stores/field-text.ts";
import { Badge } from "../ui/Badge.tsx";
import { Empty } from "../ui/Empty.tsx";
import { Fact } from "../ui/Fact.tsx";
import { Screen } from "../ui/Screen.tsx";
import { StateBadge } from "../ui/StateBadge.tsx";
import { useDebtSentence } from "../ui/Strip.tsx";
import { usePhotoSentence } from "../ui/use-photo-sentence.ts";
import { useWords } from "../ui/use-words.ts";
import { heldPhotos, isOwed } from "../visits/photo-debt.ts";
import { bodyOf, isKind } from "../visits/visit-history.ts";

const tabs = ["needsYou", "waiting", "atHq"] as const;
type Tab = (typeof tabs)[number];

/** What is where: what a person must look at, what waits and for what, what HQ holds. */
export function SyncScreen() {
  const { t, zone } = useWords();
  const status = useStatus();
  const facts = useFacts();
  const photos = usePhotos();
  const [chosen, setChosen] = useState<Tab | null>(null);
  const today = dayIn(Date.now(), zone);
  const isToday = (fact: CapturedFact) => dayIn(msFromUtc(fact.envelope.at), zone) === today;
  const refused = facts.filter((fact) => fact.state === "refused");
  const waiting = facts.filter((fact) => fact.state === "saved" || fact.state === "sending");
  const atHq = facts.filter((fact) => fact.state === "at-hq" && isToday(fact));
  const photosWithTrouble = photos.filter(({ state }) => state === "refused" || state === "lost");
  const photosWaiting = photos.filter(isOwed);
  const needs = useNeedsYou();
  const counts = {
    needsYou: refused.length + needs.length + photosWithTrouble.length,
    waiting: waiting.length + status.queue.documents,
    atHq: atHq.length,
  };
  const tab = chosen ?? (counts.needsYou > 0 ? "needsYou" : "waiting");

  return (
    <Screen title={t("sync.title")}>
      <Connection />
      <div className="tabs" role="tablist" aria-label={t("sync.tabsLabel")}>
        {tabs.map((each) => (
          <button
            key={each}
            type="button"
            role="tab"
            id={`tab-${each}`}
            aria-selected={tab === each}
            aria-controls="sync-panel"
            onClick={() => setChosen(each)}
          >
            {t(`sync.tabs.${each}`)}
            {counts[each] > 0 && ` (${counts[each]})`}
          </button>
        ))}
      </div>
      <div className="panel" id="sync-panel" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === "needsYou" && <NeedsYouPanel refused={refused} needs={needs} photos={photosWithTrouble} />}
        {tab === "waiting" && <WaitingPanel facts={waiting} photos={photosWaiting} />}
        {tab === "atHq" &&
          (atHq.length === 0 ? (
            <div className="card">
              <Empty icon={checkmarkDoneOutline}>{t("sync.nothingToday")}</Empty>
            </div>
          ) : (
            <Groups facts={atHq} photos={photos.filter(({ state }) => state === "at-hq")} />
          ))}
      </div>
      <Spent />
      <Attempts />
    </Screen>
  );
}

function useNeedsYou(): readonly NeedsYou[] {
  const engine = useEngine();
  return useChanging(
    (changed) => {
      const stop = [engine.documents.onChange(changed), engine.onStatus(changed)];
      return () => stop.forEach((each) => each());
    },
    () => engine.documents.needsYou(),
    [engine],
  );
}

function Connection() {
  const { t } = useWords();
  const engine = useEngine();
  const status = useStatus();
  const sentence = useDebtSentence();
  return (
    <section className="card" aria-label={t("sync.title")}>
      <div className="spread">
        <p className="strong">{sentence(status)}</p>
        <Badge icon={status.link === "online" ? "done" : "waiting"} tone={status.link === "online" ? "done" : "plain"}>
          {t(`strip.link.${status.link}`)}
        </Badge>
      </div>
      {status.refusal !== null && (
        <p className="strong">{t("sync.refusal", { sentence: t(`refusal.${refusalKey(status.refusal.code)}`) })}</p>
      )}
      <div className="row-actions">
        {status.link === "idle" ? (
          <button type="button" className="button" onClick={() => engine.goOnline()}>
            {t("sync.goOnline")}
          </button>
        ) : (
          <>
            <button
              type="button"
              className="button"
              onClick={() => {
                engine.goOnline();
                engine.networkChanged();
              }}
            >
              <IonIcon icon={refreshOutline} aria-hidden="true" />
              {t("sync.tryNow")}
            </button>
            <button type="button" className="button quiet" onClick={() => engine.goOffline()}>
              <IonIcon icon={cloudOfflineOutline} aria-hidden="true" />
              {t("sync.workOffline")}
            </button>
          </>
        )}
      </div>
    </section>
  );
}

/** The refusals that a person at this phone can meet have words of their own; all others share one sentence. */
function refusalKey(code: string): "revoked" | "unknown" | "version" | "other" {
  if (code === "auth.revoked") return "revoked";
  if (code === "auth.unknown" || code === "auth.missing") return "unknown";
  return code === "frame.version" ? "version" : "other";
}

function NeedsYouPanel({
  refused,
  needs,
  photos,
}: {
  refused: readonly CapturedFact[];
  needs: readonly NeedsYou[];
  photos: readonly OwedPhoto[];
}) {
  const { t, language, format } = useWords();
  const engine = useEngine();
  const storeName = useStoreNames();
  const valueText = useValueText();
  const refusalWords = useRefusalWords();
  const photoSentence = usePhotoSentence();
  if (refused.length + needs.length + photos.length === 0) {
    return (
      <div className="card">
        <Empty icon={checkmarkDoneOutline}>{t("sync.nothingNeedsYou")}</Empty>
      </div>
    );
  }
  return (
    <ul className="stack">
      {needs.map((item) => (
        <li key={`${item.doc}/${item.edit.field}/${item.at}`} className="card person">
          <div className="stack">
            <p className="strong">
              {item.kind === "store" ? storeName(item.key) : t("sync.noVisitStore")} ·{" "}
              {fieldLabel(item.kind, item.edit.field, language)}
            </p>
            <p>{refusalWords(item)}</p>
            <p className="soft">
              {"set" in item.edit && `“${valueText(item.kind, item.edit.field, item.edit.set)}” · `}
              {format.time(item.at)}
            </p>
          </div>
          <button type="button" className="button quiet" onClick={() => void engine.documents.dismiss(item)}>
            {t("sync.keepMine")}
          </button>
        </li>
      ))}
      {refused.map((fact) => (
        <li key={fact.envelope.id} className="card person">
          <FactWords fact={fact} />
          <p>{t("sync.refusedFact")}</p>
        </li>
      ))}
      {photos.map((photo) => (
        <li key={photo.id} className="card person">
          <p className="spread">
            <span className="strong">{eventKinds.photoCaptured.label[language]}</span>
            <StateBadge state={photo.state} />
          </p>
          <p>{photoSentence(photo)}</p>
        </li>
      ))}
    </ul>
  );
}

function WaitingPanel({ facts, photos }: { facts: readonly CapturedFact[]; photos: readonly OwedPhoto[] }) {
  const { t } = useWords();
  const storeName = useStoreNames();
  const documents = [useSummaries("store"), useSummaries("visit"), useSummaries("plan")];
  const dirty = documents.flat().filter((document) => document.dirty);
  if (facts.length === 0 && photos.length === 0 && dirty.length === 0) {
    return (
      <div className="card">
        <Empty icon={checkmarkDoneOutline}>{t("sync.nothingWaits")}</Empty>
      </div>
    );
  }
  return (
    <>
      <Groups facts={facts} photos={photos} />
      {dirty.length > 0 && (
        <section className="card flush">
          <header>
            <h2>{t("sync.noVisitStore")}</h2>
          </header>
          <ul className="rows">
            {dirty.map(({ kind, key }) => (
              <li key={`${kind}/${key}`} className="row">
                <span className="grow">{kind === "store" ? storeName(key) : t(`sync.document.${kind}`)}</span>
                <Badge icon="saved">{t("sync.documentWaits")}</Badge>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** Facts and photos by visit; what belongs to none stands under the day. */
function Groups({ facts, photos }: { facts: readonly CapturedFact[]; photos: readonly OwedPhoto[] }) {
  const { t } = useWords();
  const storeName = useStoreNames();
  const all = useFacts();
  const visits = [...new Set([...facts.map(({ envelope }) => envelope.visit), ...photos.map(({ visit }) => visit)])];
  const storeOf = (visit: string) => all.find(({ envelope }) => envelope.visit === visit)?.envelope.store ?? "";
  return visits.map((visit) => {
    const own = photos.filter((photo) => photo.visit === visit);
    return (
      <section key={visit ?? "day"} className="card flush">
        <header>
          <h2>{visit === null ? t("sync.noVisit") : storeName(storeOf(visit))}</h2>
          {own.length > 0 && <span className="soft">{t("sync.photosOf", { count: own.length })}</span>}
        </header>
        <ul className="rows">
          {facts
            .filter(({ envelope }) => envelope.visit === visit)
            .map((fact) => (
              <li key={fact.envelope.id} className="row">
                <FactWords fact={fact} />
              </li>
            ))}
          {own.map((photo) => (
            <li key={`photo/${photo.id}`} className="row">
              <PhotoWords photo={photo} />
            </li>
          ))}
        </ul>
      </section>
    );
  });
}

function FactWords({ fact }: { fact: CapturedFact }) {
  const { t, language, format } = useWords();
  const label = kindByName(fact.envelope.kind)?.label[language] ?? fact.envelope.kind;
  const isOrder = isKind(fact, "orderPlaced");
  return (
    <span className="grow">
      <span className="spread">
        <span className="strong">
          {label}
          {isOrder && ` · ${ringgit(bodyOf(fact, "orderPlaced").totalSen)}`}
        </span>
        <StateBadge state={fact.state} />
      </span>
      <span className="soft small">
        {t("sync.savedAt", { time: format.time(fact.savedAt) })}
        {fact.position !== null && (
          <>
            {" · "}
            <Link to={`/orders/${fact.envelope.id}`}>
              {t("sync.position", { position: format.number(fact.position) })}
            </Link>
          </>
        )}
        {fact.state === "saved" && ` · ${t("sync.willSend")}`}
      </span>
    </span>
  );
}

function PhotoWords({ photo }: { photo: OwedPhoto }) {
  const { t, format } = useWords();
  const sentence = usePhotoSentence();
  const why = sentence(photo);
  return (
    <span className="grow">
      <span className="spread">
        <span className="strong">{t("sync.photoFile")}</span>
        <StateBadge state={photo.state} />
      </span>
      <span className="soft small">
        {photo.state === "at-hq"
          ? format.size(photo.bytes)
          : t("sync.sizeLeft", {
              left: format.size(photo.bytes - photo.sentBytes),
              size: format.size(photo.bytes),
            })}
        {why !== null && ` · ${why}`}
      </span>
    </span>
  );
}

const spentLanes = ["facts", "documents", "photos", "link"] as const;

function Spent() {
  const { t, format } = useWords();
  const { spent, photoBudget } = useStatus();
  const held = heldPhotos(usePhotos());
  return (
    <section className="card" aria-labelledby="spent">
      <h2 id="spent">{t("sync.spent", { size: format.size(spent.sentBytes + spent.receivedBytes) })}</h2>
      <dl className="facts">
        {spentLanes.map((lane) => (
          <Fact
            key={lane}
            name={t(`sync.lane.${lane}`)}
            value={format.size(spent.lanes[lane].sentBytes + spent.lanes[lane].receivedBytes)}
          />
        ))}
      </dl>
      <p className="soft small">
        {t("sync.sentReceived", {
          sent: format.size(spent.sentBytes),
          received: format.size(spent.receivedBytes),
        })}
      </p>
      <p>
        {t("sync.photoBudget", {
          used: format.size(photoBudget.usedBytes),
          allowed: format.size(photoBudget.allowedBytes),
        })}
      </p>
      {held.length > 0 && (
        <ul className="stack" aria-label={t("sync.photosHeldLabel")}>
          {held.map(({ waitsFor, photos, bytes }) => (
            <li key={waitsFor} className="small">
              {t("sync.photosHeld", { count: photos, size: format.size(bytes), why: t(`photoWait.${waitsFor}`) })}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const ATTEMPTS_SHOWN = 30;

function Attempts() {
  const { t } = useWords();
  const engine = useEngine();
  const attempts = useChanging(
    (changed) => engine.onStatus(changed),
    () => engine.attempts(),
    [engine],
  );
  const identity = useIdentity();
  return (
    <section className="card" aria-labelledby="attempts" data-device={identity.device}>
      <h2 id="attempts">{t("sync.attempts")}</h2>
      {attempts.length === 0 ? (
        <p className="soft">{t("sync.noAttempts")}</p>
      ) : (
        <ol className="stack">
          {attempts
            .slice(-ATTEMPTS_SHOWN)
            .toReversed()
            .map((attempt) => (
              <AttemptRow key={attempt.number} attempt={attempt} />
            ))}
        </ol>
      )}
    </section>
  );
}

function AttemptRow({ attempt }: { attempt: Attempt }) {
  const { t, format } = useWords();
  return (
    <li className="spread small">
      <span>
        {format.time(attempt.at)} · {t(`sync.lane.${attempt.lane}`)}
        {attempt.bytes > 0 && ` · ${format.size(attempt.bytes)}`}
      </span>
      <span className={attempt.outcome === "refused" ? "strong" : "soft"}>{t(`sync.outcome.${attempt.outcome}`)}</span>
    </li>
  );
}
