import type { DatabaseSync } from "node:sqlite";
import { readCertificate } from "./enrol-again.ts";

/** Every device's certificate: signed by the workspace, and of the device, key, person and role that its row says. */
export function verifyDevices(
  db: DatabaseSync,
  workspace: { readonly id: string; readonly rootKey: string },
): { readonly device: string; readonly what: string } | { readonly devices: number } {
  const page = db.prepare("select * from device where device > ? order by device limit 500");
  let devices = 0;
  for (let last = ""; ;) {
    const rows = page.all(last) as unknown as Record<string, string>[];
    for (const row of rows) {
      const device = row["device"] ?? "";
      const what = faultOf(row, workspace);
      if (what !== null) return { device, what };
      last = device;
      devices += 1;
    }
    if (rows.length < 500) return { devices };
  }
}

function faultOf(row: Record<string, string>, workspace: { id: string; rootKey: string }): string | null {
  const read = readCertificate(workspace, row["certificate"] ?? "", row["certificate_signature"] ?? "");
  if (!read.ok) return `has a certificate that does not hold: ${read.error.detail ?? read.error.code}`;
  const { device, publicKey, rep, role } = read.value;
  if (device !== row["device"] || publicKey !== row["public_key"])
    return "is not the device that its certificate names";
  return rep === row["person"] && role === row["role"]
    ? null
    : "is not of the person and role that its certificate names";
}
