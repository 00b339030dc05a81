import { IonIcon } from "@ionic/react";
import { addOutline, removeOutline } from "ionicons/icons";
import { useWords } from "./use-words.ts";

const MOST = 1_000_000;

/** A quantity: minus, a number that may be typed, plus. */
export function Stepper({ name, value, change }: { name: string; value: number; change: (value: number) => void }) {
  const { t } = useWords();
  const set = (next: number) => change(Math.min(MOST, Math.max(0, Math.trunc(next))));
  return (
    <div className="stepper">
      <button
        type="button"
        aria-label={t("order.less", { good: name })}
        disabled={value === 0}
        onClick={() => set(value - 1)}
      >
        <IonIcon icon={removeOutline} aria-hidden="true" />
      </button>
      <input
        type="text"
        inputMode="numeric"
        pattern="[0-9]*"
        aria-label={t("order.quantityOf", { good: name })}
        value={value === 0 ? "" : String(value)}
        placeholder="0"
        onChange={({ target }) => {
          const digits = target.value.replace(/\D/g, "").slice(0, 7);
          set(digits === "" ? 0 : Number(digits));
        }}
      />
      <button type="button" aria-label={t("order.more", { good: name })} onClick={() => set(value + 1)}>
        <IonIcon icon={addOutline} aria-hidden="true" />
      </button>
    </div>
  );
}
