import { IonContent, IonPage } from "@ionic/react";
import { Component, type ReactNode } from "react";
import { useWords } from "./use-words.ts";

/** A screen that broke says so, instead of leaving a blank page; what was saved is not touched by it. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override render() {
    return this.state.broken ? <Broken /> : this.props.children;
  }
}

function Broken() {
  const { t } = useWords();
  return (
    <IonPage>
      <IonContent>
        <div className="welcome">
          <section className="card" role="alert">
            <h1 className="figure">{t("broken.title")}</h1>
            <p>{t("broken.text")}</p>
            <button type="button" className="button" onClick={() => location.assign("/")}>
              {t("broken.again")}
            </button>
          </section>
        </div>
      </IonContent>
    </IonPage>
  );
}
