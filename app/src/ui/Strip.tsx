import type { SyncStatus } from "@sampai/engine";
import { IonIcon } from "@ionic/react";
import { checkmarkDoneOutline, handLeftOutline, phonePortraitOutline } from "ionicons/icons";
import { useNavigate } from "react-router-dom";
import { useHasNetwork } from "../device/connectivity.ts";
import { useStatus } from "../session/engine-context.tsx";
import { useWords } from "./use-words.ts";

/** What this phone still owes HQ. The connection is another matter: online is not synced. */
export function debtOf(status: SyncStatus): number {
  return status.queue.events + status.queue.documents;
}

/** A try this near is not worth a time of day. */
const SOON_MS = 60_000;

export type StripTone = "done" | "waits" | "person" | "plain";

export function stripTone(status: SyncStatus): StripTone {
  if (status.link === "refused" || status.needsYou > 0) return "person";
  if (debtOf(status) > 0) return "waits";
  if (status.queue.photosNotComing > 0) return "plain";
  return status.allInAt === null ? "plain" : "done";
}

/** The sentence about debt, as it stands on every screen. */
export function useDebtSentence(): (status: SyncStatus) => string {
  const { t, format } = useWords();
  const hasNetwork = useHasNetwork();
  return (status) => {
    const debt = debtOf(status);
    const { photos, photoBytes, photosNotComing, oldestAt } = status.queue;
    if (debt === 0) {
      if (photos > 0) return t("strip.photosOwed", { count: photos, size: format.size(photoBytes) });
      if (photosNotComing > 0) return t("strip.photosNotComing", { count: photosNotComing });
      return status.allInAt === null ? t("strip.nothing") : t("strip.allIn", { time: format.time(status.allInAt) });
    }
    return [
      t("strip.waiting", { count: debt }),
      ...(oldestAt === null ? [] : [t("strip.oldest", { age: format.age(oldestAt) })]),
      whatHappens(),
    ].join(", ");

    function whatHappens(): string {
      switch (status.link) {
        case "online":
          return t("strip.sending");
        case "connecting":
        case "claiming":
          return hasNetwork ? t("strip.connecting") : t("strip.noSignal");
        case "idle":
          return t("strip.byChoice");
        case "refused":
          return t("strip.refused");
        case "waiting":
          if (!hasNetwork || status.nextTryAt === null) return t("strip.noSignal");
          if (Date.parse(status.nextTryAt) - Date.now() < SOON_MS) return t("strip.trySoon");
          return t("strip.nextTry", { time: format.time(status.nextTryAt) });
      }
    }
  };
}

/** One line on every screen of rep and supervisor: what is owed, and beside it whether there is a connection. */
export function Strip() {
  const { t } = useWords();
  const status = useStatus();
  const sentence = useDebtSentence();
  const navigate = useNavigate();
  const tone = stripTone(status);
  const icon = {
    done: checkmarkDoneOutline,
    waits: phonePortraitOutline,
    plain: phonePortraitOutline,
    person: handLeftOutline,
  };
  return (
    <button type="button" className="strip" data-tone={tone} onClick={() => navigate("/sync")}>
      <IonIcon icon={icon[tone]} aria-hidden="true" />
      <span className="strip-debt">
        {status.needsYou > 0 && <>{t("strip.needsYou", { count: status.needsYou })} · </>}
        {sentence(status)}
      </span>
      <span className="strip-link" data-link={status.link}>
        {t(`strip.link.${status.link}`)}
      </span>
      <span className="visually-hidden">{t("strip.openSync")}</span>
    </button>
  );
}
