import { useEffect, useState } from "react";
import { useLocation } from "react-router-dom";
import { onUpdateReady } from "../device/service-worker.ts";
import { useWords } from "./use-words.ts";

/** Says that a new version is ready, never in the middle of a visit, and never reloads by itself. */
export function UpdateOffer() {
  const { t } = useWords();
  const { pathname } = useLocation();
  const [take, setTake] = useState<(() => void) | null>(null);
  useEffect(() => onUpdateReady((use) => setTake(() => use)), []);
  if (take === null || /^\/(visit|check-in)\//.test(pathname)) return null;
  return (
    <div className="update" role="status">
      <span>{t("update.ready")}</span>
      <span className="inline">
        <button type="button" className="text-button" onClick={() => setTake(null)}>
          {t("update.later")}
        </button>
        <button type="button" className="button on-dark" onClick={take}>
          {t("update.use")}
        </button>
      </span>
    </div>
  );
}
