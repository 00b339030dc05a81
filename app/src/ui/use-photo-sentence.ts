import type { OwedPhoto } from "@sampai/engine";
import { useWords } from "./use-words.ts";

/** The refusals of a photo that a rep can do something about have words of their own; all others share one sentence. */
const refusalKeys = {
  "photo.type": "type",
  "photo.size": "size",
  "photo.owner": "owner",
} as const satisfies Partial<Record<NonNullable<OwedPhoto["refusal"]>, string>>;

/** Says why a photo is not at HQ: what it waits for, why HQ refused it, or that its file is gone; null while it is on its way. */
export function usePhotoSentence(): (photo: OwedPhoto) => string | null {
  const { t } = useWords();
  return ({ state, refusal, waitsFor }) => {
    if (state === "lost") return t("sync.photoLost");
    if (state === "refused") {
      const known = refusal !== null && refusal in refusalKeys;
      return t(`photoRefusal.${known ? refusalKeys[refusal as keyof typeof refusalKeys] : "other"}`);
    }
    return waitsFor === null ? null : t(`photoWait.${waitsFor}`);
  };
}
