import { IonContent, IonPage } from "@ionic/react";
import type { ReactNode } from "react";

/** A page that stands where nothing else can be shown: what happened, what is safe, and the way on. */
export function Stopped({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  return (
    <IonPage>
      <IonContent>
        <div className="welcome">
          <section className="card" role="alert">
            <h1 className="figure">{title}</h1>
            <p>{text}</p>
            {children}
          </section>
        </div>
      </IonContent>
    </IonPage>
  );
}
