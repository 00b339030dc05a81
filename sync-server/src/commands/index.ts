import type { Command } from "./command.ts";
import { enrol } from "./enrol.ts";
import { logCheck } from "./log-check.ts";
import { logExport } from "./log-export.ts";
import { logKey } from "./log-key.ts";
import { logProve } from "./log-prove.ts";
export const commands: readonly Command[] = [
  serve,
  importCommand,
  enrol,
  revoke,
  logTail,
  logExport,
  logVerify,
  logProve,
  logCheck,
  logKey,
];
