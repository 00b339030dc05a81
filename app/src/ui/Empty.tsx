import { IonIcon } from "@ionic/react";
import type { ReactNode } from "react";

/** Nothing to show, said kindly, with what to do about it. */
export function Empty({ icon, children }: { icon: string; children: ReactNode }) {
  return (
    <div className="empty">
      <IonIcon icon={icon} aria-hidden="true" />
      <p>{children}</p>
    </div>
  );
}
