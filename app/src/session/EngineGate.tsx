import type { Identity } from "@sampai/engine";
import { IonContent, IonPage } from "@ionic/react";
import { useEffect, useState, type ReactNode } from "react";
import { Loading } from "../ui/Loading.tsx";
import { Stopped } from "../ui/Stopped.tsx";
import { useWords } from "../ui/use-words.ts";
import { EngineContext } from "./engine-context.tsx";
import { openEngine, type OpenEngine, type OpenFailure } from "./open-engine.ts";
import { SavedFormsContext } from "./use-form.ts";

type Gate =
  | { readonly state: "opening" | "lost" }
  | { readonly state: "failed"; readonly failure: OpenFailure }
  | { readonly state: "open"; readonly open: OpenEngine };

/** Opens this person's work before any screen needs it, and says plainly why when it cannot. */
export function EngineGate({ identity, children }: { identity: Identity; children: ReactNode }) {
  const [gate, setGate] = useState<Gate>({ state: "opening" });
  const [takeOver, setTakeOver] = useState(false);

  useEffect(() => {
    let wanted = true;
    setGate({ state: "opening" });
    // Opening waits for the closing before it: React may mount a screen twice in a row.
    const opening = closing.then(() => (wanted ? openEngine(identity, takeOver) : null));
    const opened = opening.then((result) => {
      if (result === null || !wanted) return result;
      if ("failure" in result) setGate({ state: "failed", failure: result });
      else {
        setGate({ state: "open", open: result });
        result.lock.onLost(() => {
          if (wanted) setGate({ state: "lost" });
          void result.close();
        });
      }
      return result;
    });
    return () => {
      wanted = false;
      closing = opened.then((result) => (result !== null && "engine" in result ? result.close() : undefined));
    };
  }, [identity, takeOver]);

  switch (gate.state) {
    case "opening":
      return <Opening />;
    case "lost":
      return <NotOpen failure="lost" />;
    case "failed":
      return (
        <NotOpen
          failure={gate.failure.failure}
          detail={gate.failure.failure === "failed" ? gate.failure.detail : ""}
          takeOver={() => setTakeOver(true)}
        />
      );
    case "open":
      return (
        <EngineContext value={gate.open.engine}>
          <SavedFormsContext value={gate.open.forms}>{children}</SavedFormsContext>
        </EngineContext>
      );
  }
}

let closing: Promise<unknown> = Promise.resolve();

function Opening() {
  const { t } = useWords();
  return (
    <IonPage>
      <IonContent>
        <div className="screen">
          <h1 className="visually-hidden">{t("app.name")}</h1>
          <Loading words={t("open.opening")} rows={4} />
        </div>
      </IonContent>
    </IonPage>
  );
}

interface NotOpenProps {
  readonly failure: "held" | "lost" | "insecure" | "outdated" | "failed";
  readonly detail?: string;
  readonly takeOver?: () => void;
}

function NotOpen({ failure, detail = "", takeOver }: NotOpenProps) {
  const { t } = useWords();
  return (
    <Stopped title={t(`open.${failure}.title`)} text={t(`open.${failure}.text`)}>
      {detail !== "" && <p className="soft small">{detail}</p>}
      {failure === "held" && takeOver !== undefined && (
        <button type="button" className="button" onClick={takeOver}>
          {t("open.held.here")}
        </button>
      )}
      {failure === "lost" && (
        <button type="button" className="button" onClick={() => location.reload()}>
          {t("open.held.here")}
        </button>
      )}
    </Stopped>
  );
}
