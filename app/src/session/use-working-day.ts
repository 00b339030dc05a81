import { bestMs } from "@sampai/engine";
import { workingDay, type WorkingDay } from "../visits/working-day.ts";
import { useEngine, useFacts } from "./engine-context.tsx";
import { useIdentity } from "./identity-context.ts";
import { systemClock } from "./system.ts";

/** The working day as it stands now, by the best time this phone can give. `today` is `YYYY-MM-DD`. */
export function useWorkingDay(): WorkingDay & { readonly nowMs: number; readonly today: string } {
  const engine = useEngine();
  const { zone } = useIdentity();
  const facts = useFacts();
  const today = engine.today();
  return { ...workingDay(facts, today, zone), nowMs: bestMs(systemClock, engine.status().anchor), today };
}
