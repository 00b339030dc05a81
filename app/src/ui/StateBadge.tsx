import type { CapturedFact, OwedPhoto } from "@sampai/engine";
import { Badge } from "./Badge.tsx";
import { useWords } from "./use-words.ts";

/** Where a fact is: on this phone, on its way, at HQ, or waiting for a person. */
export function FactBadge({ fact }: { fact: CapturedFact }) {
  const { t } = useWords();
  switch (fact.state) {
    case "saved":
      return <Badge icon="saved">{t("state.saved")}</Badge>;
    case "sending":
      return (
        <Badge icon="sending" tone="now">
          {t("state.sending")}
        </Badge>
      );
    case "at-hq":
      return (
        <Badge icon="done" tone="done">
          {t("state.atHq")}
        </Badge>
      );
    case "refused":
      return (
        <Badge icon="person" tone="person">
          {t("state.refused")}
        </Badge>
      );
  }
}

export function PhotoBadge({ photo }: { photo: OwedPhoto }) {
  const { t } = useWords();
  switch (photo.state) {
    case "waiting":
      return <Badge icon="saved">{t("state.saved")}</Badge>;
    case "sending":
      return (
        <Badge icon="sending" tone="now">
          {t("state.sending")}
        </Badge>
      );
    case "preview-at-hq":
      return (
        <Badge icon="photo" tone="now">
          {t("state.previewAtHq")}
        </Badge>
      );
    case "at-hq":
      return (
        <Badge icon="done" tone="done">
          {t("state.atHq")}
        </Badge>
      );
    case "refused":
      return (
        <Badge icon="person" tone="person">
          {t("state.refused")}
        </Badge>
      );
    case "lost":
      return (
        <Badge icon="alert" tone="person">
          {t("state.lost")}
        </Badge>
      );
  }
}
