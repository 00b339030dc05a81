import { IonIcon } from "@ionic/react";
import {
  calendarOutline,
  moonOutline,
  personOutline,
  speedometerOutline,
  storefrontOutline,
  syncOutline,
} from "ionicons/icons";
import { use } from "react";
import { NavLink } from "react-router-dom";
import { EngineContext, useStatus } from "../session/engine-context.tsx";
import { IdentityContext } from "../session/identity-context.ts";
import { debtOf } from "./Strip.tsx";
import { useWords } from "./use-words.ts";

const places = {
  today: { path: "/today", icon: calendarOutline },
  sync: { path: "/sync", icon: syncOutline },
  day: { path: "/day", icon: moonOutline },
  territory: { path: "/territory", icon: storefrontOutline },
  board: { path: "/board", icon: speedometerOutline },
  me: { path: "/me", icon: personOutline },
} as const;

const byRole = {
  rep: ["today", "sync", "day", "me"],
  supervisor: ["territory", "board", "sync", "me"],
  hq: ["board", "me"],
} as const;

export function Nav() {
  const { t } = useWords();
  const identity = use(IdentityContext);
  const engine = use(EngineContext);
  if (identity === null) return null;
  return (
    <nav className="nav" aria-label={t("nav.label")}>
      {byRole[identity.role].map((place) => (
        <NavLink key={place} to={places[place].path}>
          <IonIcon icon={places[place].icon} aria-hidden="true" />
          {t(`nav.${place}`)}
          {place === "sync" && engine !== null && <Owed />}
        </NavLink>
      ))}
    </nav>
  );
}

function Owed() {
  const status = useStatus();
  const count = status.needsYou > 0 ? status.needsYou : debtOf(status);
  if (count === 0) return null;
  // Said in full by the strip; here it is only seen.
  return (
    <span className="count" data-tone={status.needsYou > 0 ? "person" : "waits"} aria-hidden="true">
      {count}
    </span>
  );
}
