import "@ionic/react/css/core.css";
import "@ionic/react/css/normalize.css";
import "@ionic/react/css/structure.css";
import "./theme.css";
import { App as Shell } from "@capacitor/app";
import { setupIonicReact } from "@ionic/react";
import { openIndexedDbStorage } from "@sampai/engine/adapters/indexeddb-storage";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { startConnectivity } from "./device/connectivity.ts";
import { isNative } from "./device/platform.ts";
import { startServiceWorker } from "./device/service-worker.ts";
import { startLanguages } from "./i18n/index.ts";
import { createIdentities } from "./session/identities.ts";
import { createSavedForms } from "./session/saved-forms.ts";
import { openOwnStorage } from "./session/own-storage.ts";

// One look on every platform: the app has a design of its own.
setupIonicReact({ mode: "md" });
startConnectivity();
startServiceWorker();
// Android's back key goes where the arrow would.
if (isNative) void Shell.addListener("backButton", () => history.back());
// Asked, never assumed: the Me screen says what the browser answered.
void navigator.storage?.persist?.();

const [own] = await Promise.all([openOwnStorage(openIndexedDbStorage), startLanguages()]);
const identities = createIdentities(own.identities);
const session = { identities, formsOf: () => createSavedForms(own.forms) };
const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no root");
createRoot(root).render(
  <StrictMode>
    <App first={await identities.current()} session={session} />
  </StrictMode>,
);
