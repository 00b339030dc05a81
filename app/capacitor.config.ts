import type { CapacitorConfig } from "@capacitor/cli";

const config: CapacitorConfig = {
  appId: "app.sampai.field",
  appName: "Sampai",
  webDir: "dist",
  android: { allowMixedContent: false },
};

export default config;
