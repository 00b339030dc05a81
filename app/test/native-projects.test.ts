import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

const app = path.join(import.meta.dirname, "..");
const read = (file: string) => readFileSync(path.join(app, file), "utf8");

test("no phone backs this app up, because a restored copy would number events twice", () => {
  const manifest = read("android/app/src/main/AndroidManifest.xml");
  assert.match(manifest, /android:allowBackup="false"/);
  const rules = read("android/app/src/main/res/xml/data_extraction_rules.xml");
  for (const way of ["cloud-backup", "device-transfer"]) {
    const within = new RegExp(`<${way}>([\\s\\S]*)</${way}>`).exec(rules)?.[1] ?? "";
    for (const domain of ["root", "file", "database", "sharedpref"]) assert.ok(within.includes(`domain="${domain}"`));
  }
});

test("the installed app talks to HQ encrypted only", () => {
  assert.match(read("android/app/src/main/AndroidManifest.xml"), /usesCleartextTraffic="false"/);
  assert.doesNotMatch(read("ios/App/App/Info.plist"), /NSAllowsArbitraryLoads/);
});

test("both systems ask for camera and location, and iOS says what for", () => {
  const manifest = read("android/app/src/main/AndroidManifest.xml");
  for (const permission of ["CAMERA", "ACCESS_FINE_LOCATION", "ACCESS_NETWORK_STATE"]) {
    assert.ok(manifest.includes(`android.permission.${permission}`), permission);
  }
  const plist = read("ios/App/App/Info.plist");
  for (const key of ["NSCameraUsageDescription", "NSLocationWhenInUseUsageDescription"]) {
    assert.match(plist, new RegExp(`<key>${key}</key>\\s*<string>[^<]{20,}</string>`));
  }
  assert.doesNotMatch(manifest + plist, /BACKGROUND_LOCATION|LocationAlways/);
});
