import "@ionic/react/css/core.css";
import "@ionic/react/css/normalize.css";
import "@ionic/react/css/structure.css";
import "./theme.css";
import { App as Shell } from "@capacitor/app";
import { setupIonicReact } from "@ionic/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { startConnectivity } from "./device/connectivity.ts";
import { isNative } from "./device/platform.ts";
import { startServiceWorker } from "./device/service-worker.ts";
import { openStorage } from "./device/storage.ts";
import { startLanguages } from "./i18n/index.ts";
import { createIdentities } from "./session/identities.ts";

// One look on every platform: the app has a design of its own.
setupIonicReact({ mode: "md" });
startConnectivity();
startServiceWorker();
// Android's back key goes where the arrow would.
if (isNative) void Shell.addListener("backButton", () => history.back());
// Asked, never assumed: the Me screen says what the browser answered.
void navigator.storage?.persist?.();

const [storage] = await Promise.all([openStorage("sampai-identities"), startLanguages()]);
const identities = createIdentities(storage);
const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no root");
createRoot(root).render(
  <StrictMode>
    <App first={await identities.current()} identities={identities} />
  </StrictMode>,
);
