import { IonButtons, IonContent, IonFooter, IonHeader, IonIcon, IonPage, IonTitle, IonToolbar } from "@ionic/react";
import { arrowBackOutline } from "ionicons/icons";
import { use, useEffect, useRef, type ReactNode } from "react";
import { useNavigate } from "react-router-dom";
import { EngineContext } from "../session/engine-context.tsx";
import { Nav } from "./Nav.tsx";
import { Strip } from "./Strip.tsx";
import { useWords } from "./use-words.ts";

interface ScreenProps {
  readonly title: string;
  /** Where the back arrow leads. A screen without it is one of the main ones and shows the navigation. */
  readonly back?: string;
  readonly wide?: boolean;
  /** Stands under the content and stays in sight, such as a total and its button. */
  readonly foot?: ReactNode;
  readonly children: ReactNode;
}

/** The frame of every screen: title, what is owed, content, and either navigation or one main action. */
export function Screen({ title, back, wide = false, foot, children }: ScreenProps) {
  const { t } = useWords();
  const navigate = useNavigate();
  const engine = use(EngineContext);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Sampai`;
  }, [title]);
  // A new screen is announced by its heading, and the keyboard starts there.
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <IonPage>
      <IonHeader>
        <IonToolbar>
          {back !== undefined && (
            <IonButtons slot="start">
              <button
                type="button"
                className="icon-button"
                aria-label={t("common.back")}
                onClick={() => navigate(back)}
              >
                <IonIcon icon={arrowBackOutline} aria-hidden="true" />
              </button>
            </IonButtons>
          )}
          <IonTitle>
            <h1 ref={heading} tabIndex={-1}>
              {title}
            </h1>
          </IonTitle>
        </IonToolbar>
        {engine !== null && <Strip />}
      </IonHeader>
      <IonContent>
        <div className={wide ? "screen wide" : "screen"}>{children}</div>
      </IonContent>
      {foot !== undefined && (
        <IonFooter className="sticky-foot">
          <div className="inner">{foot}</div>
        </IonFooter>
      )}
      {foot === undefined && back === undefined && (
        <IonFooter className="nav-foot">
          <Nav />
        </IonFooter>
      )}
    </IonPage>
  );
}
