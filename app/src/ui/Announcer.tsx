import { useEffect, useState } from "react";
import { useStatus } from "../session/engine-context.tsx";
import { debtOf } from "./Strip.tsx";
import { useWords } from "./use-words.ts";

type Spoken = "allIn" | "waiting" | "needsYou" | "refused";

/** The polite live region: it speaks when the state changes, and says nothing while only numbers do. */
export function Announcer() {
  const { t } = useWords();
  const status = useStatus();
  const state = spokenState();
  const [spoken, setSpoken] = useState<Spoken | null>(null);
  const [first] = useState(state);
  useEffect(() => {
    if (state !== first) setSpoken(state);
    else setSpoken((before) => (before === null ? null : state));
  }, [state, first]);
  return (
    <div className="visually-hidden" role="status" aria-live="polite">
      {spoken === null ? "" : t(`announce.${spoken}`)}
    </div>
  );

  function spokenState(): Spoken | null {
    if (status.link === "refused") return "refused";
    if (status.needsYou > 0) return "needsYou";
    if (debtOf(status) > 0) return "waiting";
    return status.allInAt === null ? null : "allIn";
  }
}
