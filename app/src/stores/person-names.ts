import { personByCode } from "@sampai/engine";
import { usePack } from "../session/engine-context.tsx";

/** A person's name from the reference pack, or the code where the pack does not know it. */
export function usePersonName(): (code: string) => string {
  const pack = usePack();
  return (code) => (pack === null ? code : (personByCode(pack, code)?.name ?? code));
}
