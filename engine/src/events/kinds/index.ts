import { activityCompleted } from "./activity-completed.ts";
import { attendanceEnded } from "./attendance-ended.ts";
import { attendanceStarted } from "./attendance-started.ts";
import { auditSubmitted } from "./audit-submitted.ts";
import { checkIn } from "./check-in.ts";
import { checkOut } from "./check-out.ts";
import { dayClosed } from "./day-closed.ts";
import type { EventKind } from "./kind.ts";
import { leaveTaken } from "./leave-taken.ts";
import { orderAmended } from "./order-amended.ts";
import { orderCancelled } from "./order-cancelled.ts";
import { orderPlaced } from "./order-placed.ts";
import { photoCaptured } from "./photo-captured.ts";
import type { z } from "zod";

/** Every kind of event there is: the short name is what code and the headless phone say, `name` what the log holds. */
export const eventKinds = {
  attendanceStarted,
  attendanceEnded,
  leaveTaken,
  checkIn,
  checkOut,
  orderPlaced,
  orderAmended,
  orderCancelled,
  auditSubmitted,
  photoCaptured,
  activityCompleted,
  dayClosed,
} as const;

export type EventKindName = keyof typeof eventKinds;
export type EventBody<K extends EventKindName> = z.infer<(typeof eventKinds)[K]["body"]>;

const byName = new Map<string, EventKind>(Object.values(eventKinds).map((kind) => [kind.name, kind as EventKind]));

/** The kind that an event's `kind` text names, or undefined for one that this version does not know. */
export function kindByName(name: string): EventKind | undefined {
  return byName.get(name);
}
