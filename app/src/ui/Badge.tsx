import { IonIcon } from "@ionic/react";
import {
  alertCircleOutline,
  arrowUpOutline,
  checkmarkDoneOutline,
  handLeftOutline,
  helpOutline,
  imageOutline,
  phonePortraitOutline,
  timeOutline,
  walkOutline,
} from "ionicons/icons";

const icons = {
  saved: phonePortraitOutline,
  waiting: timeOutline,
  sending: arrowUpOutline,
  done: checkmarkDoneOutline,
  photo: imageOutline,
  person: handLeftOutline,
  alert: alertCircleOutline,
  here: walkOutline,
  unknown: helpOutline,
} as const;

export type BadgeIcon = keyof typeof icons;
export type Tone = "plain" | "done" | "waits" | "person" | "now";

/** A state in a word and a sign, never in colour alone. */
export function Badge({ icon, tone = "plain", children }: { icon: BadgeIcon; tone?: Tone; children: string }) {
  return (
    <span className="badge" data-tone={tone}>
      <IonIcon icon={icons[icon]} aria-hidden="true" />
      {children}
    </span>
  );
}
