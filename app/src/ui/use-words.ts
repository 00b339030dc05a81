import { createContext, use, useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Language } from "../i18n/index.ts";
import { createFormat } from "./format.ts";

/** The workspace's IANA zone: every time on the screens is told in it. */
export const ZoneContext = createContext("Asia/Kuala_Lumpur");

/** What a screen needs to speak: the words, the language, and how to write times and sizes. */
export function useWords() {
  const { t, i18n } = useTranslation();
  const zone = use(ZoneContext);
  const language: Language = i18n.language === "ms" ? "ms" : "en";
  const format = useMemo(() => createFormat(language, zone, t), [language, zone, t]);
  return { t, language, zone, format };
}
