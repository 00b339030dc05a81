import { ruleNames } from "@sampai/engine";
import { useWords } from "../ui/use-words.ts";

/** Roles and rules as people say them; what this version does not know is shown as it is. */
export function useAuthorWords() {
  const { t } = useWords();
  return {
    role: (role: string) => (role === "rep" || role === "supervisor" || role === "hq" ? t(`role.${role}`) : role),
    rule: (rule: string) => {
      const known = ruleNames.find((name) => name === rule);
      return known === undefined ? rule : t(`store.rules.${known}`);
    },
  };
}
