import { IonApp } from "@ionic/react";
import type { Identity } from "@sampai/engine";
import { use, useMemo, useState } from "react";
import { BrowserRouter, Navigate, Route, Routes } from "react-router-dom";
import { BoardScreen } from "./screens/board/BoardScreen.tsx";
import { RepScreen } from "./screens/board/RepScreen.tsx";
import { OrderViewScreen } from "./screens/board/OrderViewScreen.tsx";
import { CheckInScreen } from "./screens/CheckInScreen.tsx";
import { DayEndScreen } from "./screens/DayEndScreen.tsx";
import { EnrolScreen } from "./screens/EnrolScreen.tsx";
import { MeScreen } from "./screens/MeScreen.tsx";
import { StoreScreen } from "./screens/store/StoreScreen.tsx";
import { SyncScreen } from "./screens/SyncScreen.tsx";
import { TerritoryScreen } from "./screens/TerritoryScreen.tsx";
import { TodayScreen } from "./screens/TodayScreen.tsx";
import { AuditScreen } from "./screens/visit/AuditScreen.tsx";
import { CheckOutScreen } from "./screens/visit/CheckOutScreen.tsx";
import { OrderScreen } from "./screens/visit/OrderScreen.tsx";
import { VisitScreen } from "./screens/visit/VisitScreen.tsx";
import { EngineGate } from "./session/EngineGate.tsx";
import { IdentityContext } from "./session/identity-context.ts";
import type { Identities } from "./session/identities.ts";
import { SessionContext, type Session } from "./session/session-context.ts";
import { Announcer } from "./ui/Announcer.tsx";
import { ErrorBoundary } from "./ui/ErrorBoundary.tsx";
import { UpdateOffer } from "./ui/UpdateOffer.tsx";
import { ZoneContext } from "./ui/use-words.ts";

/** The whole app: who is here decides which screens there are. */
export function App({ first, identities }: { first: Identity | null; identities: Identities }) {
  const [identity, setIdentity] = useState(first);
  const session = useMemo<Session>(
    () => ({
      identities,
      become: async (next) => {
        await identities.choose(next.device);
        setIdentity(next);
      },
    }),
    [identities],
  );
  return (
    <IonApp>
      <SessionContext value={session}>
        <IdentityContext value={identity}>
          <ZoneContext value={identity?.zone ?? "Asia/Kuala_Lumpur"}>
            <ErrorBoundary>
              <BrowserRouter>
                <UpdateOffer />
                <Routes>
                  <Route path="/enrol" element={<EnrolScreen />} />
                  <Route path="*" element={identity === null ? <Navigate to="/enrol" replace /> : <ByRole />} />
                </Routes>
              </BrowserRouter>
            </ErrorBoundary>
          </ZoneContext>
        </IdentityContext>
      </SessionContext>
    </IonApp>
  );
}

function ByRole() {
  const identity = use(IdentityContext);
  if (identity === null) return null;
  // Another person is another engine: the key makes sure that nothing of the one before stays open.
  switch (identity.role) {
    case "rep":
      return (
        <EngineGate key={identity.device} identity={identity}>
          <Announcer />
          <Routes>
            <Route path="/today" element={<TodayScreen />} />
            <Route path="/check-in/:store" element={<CheckInScreen />} />
            <Route path="/visit/:visit" element={<VisitScreen />} />
            <Route path="/visit/:visit/order" element={<OrderScreen />} />
            <Route path="/visit/:visit/audit" element={<AuditScreen />} />
            <Route path="/visit/:visit/check-out" element={<CheckOutScreen />} />
            <Route path="/store/:store" element={<StoreScreen />} />
            <Route path="/sync" element={<SyncScreen />} />
            <Route path="/orders/:order" element={<OrderViewScreen back="/sync" />} />
            <Route path="/day" element={<DayEndScreen />} />
            <Route path="/me" element={<MeScreen />} />
            <Route path="*" element={<Navigate to="/today" replace />} />
          </Routes>
        </EngineGate>
      );
    case "supervisor":
      return (
        <EngineGate key={identity.device} identity={identity}>
          <Announcer />
          <Routes>
            <Route path="/territory" element={<TerritoryScreen />} />
            <Route path="/board" element={<BoardScreen />} />
            <Route path="/reps/:rep" element={<RepScreen />} />
            <Route path="/orders/:order" element={<OrderViewScreen back="/board" />} />
            <Route path="/store/:store" element={<StoreScreen />} />
            <Route path="/sync" element={<SyncScreen />} />
            <Route path="/me" element={<MeScreen />} />
            <Route path="*" element={<Navigate to="/territory" replace />} />
          </Routes>
        </EngineGate>
      );
    case "hq":
      return (
        <Routes>
          <Route path="/board" element={<BoardScreen />} />
          <Route path="/reps/:rep" element={<RepScreen />} />
          <Route path="/orders/:order" element={<OrderViewScreen back="/board" />} />
          <Route path="/me" element={<MeScreen />} />
          <Route path="*" element={<Navigate to="/board" replace />} />
        </Routes>
      );
  }
}
