import type { Place } from "@sampai/engine";
import { useWords } from "../../ui/use-words.ts";

/** What the phone knew of its position, or why it knew nothing: never left silent. */
export function PlaceLine({ place }: { place: Place | null }) {
  const { t, format } = useWords();
  if (place === null) return null;
  if ("missing" in place) return <p className="soft">{t(`place.missing.${place.missing}`)}</p>;
  return (
    <p className="soft">
      {t("place.fix", { accuracy: format.number(Math.round(place.accuracy)) })}
      {place.mock && ` · ${t("place.mock")}`}
    </p>
  );
}
