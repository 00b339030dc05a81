import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { CannotStart } from "./stop-reasons.ts";

const zone = z.string().refine((name) => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}, "is no IANA time zone");

/** Everything that can be set, read once at the start. */
export const configSchema = z.strictObject({
  /** The folder that holds all that the relay keeps. */
  dir: z.string().min(1),
  /** 0 takes any free port. */
  port: z.coerce.number().int().min(0).max(65_535).default(0),
  host: z.string().min(1).default("127.0.0.1"),
  /** The built app's folder, or null where this relay serves none. */
  app: z.string().min(1).nullable().default(null),
  /** Where devices reach the relay from outside, where that differs from the address it listens at. */
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null),
  /** The workspace's IANA zone, in which days are cut. Kept from the first start on. */
  zone: zone.default("Asia/Kuala_Lumpur"),
  logLevel: z.enum(["fatal", "error", "warn", "info", "debug", "silent"]).default("info"),
  /** Bytes handed to the writer and not yet committed before new work is answered `relay.busy`. */
  writerBytes: z.coerce.number().int().min(65_536).default(33_554_432),
  /** The file outside the data folder that says how far the log has come; null: beside the folder, DIR.head. */
  headFile: z.string().min(1).nullable().default(null),
  /** How large the database may grow; beyond it the relay answers `storage.full`. Null: as large as the disk. */
  databaseBytes: z.coerce.number().int().min(1_048_576).nullable().default(null),
  /** No photo is taken while the disk has less than this free: the order log needs the rest. */
  photoFreeBytes: z.coerce.number().int().min(0).default(536_870_912),
  /** Bytes of photos that one device may upload on one day. */
  photoBytesPerDay: z.coerce.number().int().min(0).default(536_870_912),
  /** Silence after which a connection is asked whether it lives, and after which it is given up. */
  pingMs: z.coerce.number().int().min(1_000).default(30_000),
  silenceMs: z.coerce.number().int().min(2_000).default(90_000),
});
export type RelayConfig = Readonly<z.infer<typeof configSchema>>;

const fromEnvironment: Readonly<Record<string, keyof RelayConfig>> = {
  SAMPAI_DIR: "dir",
  SAMPAI_PORT: "port",
  SAMPAI_HOST: "host",
  SAMPAI_APP: "app",
  SAMPAI_PUBLIC_URL: "publicUrl",
  SAMPAI_ZONE: "zone",
  SAMPAI_HEAD_FILE: "headFile",
  SAMPAI_LOG_LEVEL: "logLevel",
};

/**
 * Joins, the later over the earlier: defaults, the file `config.json` in the data folder (or the one named by `file`),
 * environment, flags. Throws `CannotStart` with what is wrong.
 */
export function readConfig(
  flags: Readonly<Partial<Record<keyof RelayConfig | "file", string | undefined>>>,
  environment: Readonly<Record<string, string | undefined>>,
): RelayConfig {
  const { file, ...given } = flags;
  const env = Object.fromEntries(
    Object.entries(fromEnvironment)
      .filter(([name]) => environment[name] !== undefined && environment[name] !== "")
      .map(([name, key]) => [key, environment[name]]),
  );
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const dir = set["dir"] ?? env["dir"] ?? "";
  const parsed = configSchema.safeParse({ ...fromFile(file, dir), ...env, ...set });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new CannotStart("config.invalid", issue === undefined ? "" : `${issue.path.join(".")}: ${issue.message}.`);
  }
  const config = parsed.data;
  return {
    ...config,
    dir: path.resolve(config.dir),
    app: config.app === null ? null : path.resolve(config.app),
    headFile: config.headFile === null ? null : path.resolve(config.headFile),
  };
}

function fromFile(named: string | undefined, dir: string): object {
  const file = named ?? path.join(dir, "config.json");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (named === undefined && (error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new CannotStart("config.unreadable", `${file}: ${String((error as NodeJS.ErrnoException).code)}.`);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Said below, the same for every shape that is no object.
  }
  throw new CannotStart("config.unreadable", `${file} is not a JSON object.`);
}
