import { bestMs } from "@sampai/engine";
import { useIdentity } from "./identity-context.ts";
import { useEngine, useFacts } from "./engine-context.tsx";
import { systemClock } from "./system.ts";
import { workingDay, type WorkingDay } from "../visits/working-day.ts";

/** The working day as it stands now, by the best time this phone can give. */
export function useWorkingDay(): WorkingDay & { readonly nowMs: number } {
  const engine = useEngine();
  const { zone } = useIdentity();
  const facts = useFacts();
  const nowMs = bestMs(systemClock, engine.status().anchor);
  return { ...workingDay(facts, nowMs, zone), nowMs };
}
