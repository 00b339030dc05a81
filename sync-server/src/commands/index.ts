import { backupVerified } from "./backup-verified.ts";
import type { Command } from "./command.ts";
import { day } from "./day.ts";
import { deviceRuns } from "./device-runs.ts";
import { documentsExport } from "./documents-export.ts";
import { documentsImport } from "./documents-import.ts";
import { enrol } from "./enrol.ts";
import { importCommand } from "./import.ts";
import { logCheck } from "./log-check.ts";
import { logExpire } from "./log-expire.ts";
import { logExport } from "./log-export.ts";
import { logKey } from "./log-key.ts";
import { logProve } from "./log-prove.ts";
import { logSweep } from "./log-sweep.ts";
import { logTail } from "./log-tail.ts";

import { rescueImport } from "./rescue-import.ts";
import { personExport } from "./person-export.ts";
import { personForget } from "./person-forget.ts";
import { revoke } from "./revoke.ts";
import { serve } from "./serve.ts";
import { termList } from "./term-list.ts";
import { trail } from "./trail.ts";
import { logVerify, verify } from "./verify.ts";
import { storeBury } from "./store-bury.ts";
import { storeConflicts, storeExplain, storeHistory } from "./store.ts";

/** Every command there is: a new one adds its line here. */
export const commands: readonly Command[] = [
  serve,
  importCommand,
  enrol,
  revoke,
  personExport,
  personForget,
  day,
  storeHistory,
  storeConflicts,
  storeExplain,
  storeBury,
  documentsExport,
  documentsImport,
  logTail,
  logExport,
  logVerify,
  logExpire,
  logSweep,
  logProve,
  logCheck,
  logKey,
  deviceRuns,
  termList,
  backupVerified,
  rescueImport,
  trail,
  verify,
];
