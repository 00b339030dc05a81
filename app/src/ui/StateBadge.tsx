import type { CapturedFact, OwedPhoto } from "@sampai/engine";
import { Badge, type BadgeIcon, type Tone } from "./Badge.tsx";
import { useWords } from "./use-words.ts";

interface Look {
  readonly icon: BadgeIcon;
  readonly tone: Tone;
  readonly words: `state.${"saved" | "sending" | "previewAtHq" | "atHq" | "refused" | "lost"}`;
}

/** Where a thing is: on this phone, on its way, at HQ, or waiting for a person. */
const looks = {
  saved: { icon: "saved", tone: "plain", words: "state.saved" },
  waiting: { icon: "saved", tone: "plain", words: "state.saved" },
  sending: { icon: "sending", tone: "now", words: "state.sending" },
  "preview-at-hq": { icon: "photo", tone: "now", words: "state.previewAtHq" },
  "at-hq": { icon: "done", tone: "done", words: "state.atHq" },
  refused: { icon: "person", tone: "person", words: "state.refused" },
  lost: { icon: "alert", tone: "person", words: "state.lost" },
} as const satisfies Record<CapturedFact["state"] | OwedPhoto["state"], Look>;

export function StateBadge({ state }: { state: keyof typeof looks }) {
  const { t } = useWords();
  const { icon, tone, words } = looks[state];
  return (
    <Badge icon={icon} tone={tone}>
      {t(words)}
    </Badge>
  );
}
