import type { EventBody } from "@sampai/engine";
import { walkOutline } from "ionicons/icons";
import { useId } from "react";
import { useNavigate, useParams } from "react-router-dom";
import { takePlace } from "../../device/location.ts";
import { useEngine, useFacts } from "../../session/engine-context.tsx";
import { useCapture } from "../../session/use-capture.ts";
import { useForm } from "../../session/use-form.ts";
import { useWorkingDay } from "../../session/use-working-day.ts";
import { Empty } from "../../ui/Empty.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { Screen } from "../../ui/Screen.tsx";
import { useWords } from "../../ui/use-words.ts";
import { isKind, visitsOf, type Visit } from "../../visits/visit-history.ts";
import { closeVisitRecord } from "../../visits/visit-record.ts";

type CheckOut = EventBody<"checkOut">;
type Outcome = CheckOut["outcome"];
type Reason = Extract<CheckOut, { outcome: "no-order" }>["reason"];

const outcomes: readonly Outcome[] = ["ordered", "no-order", "closed", "skipped"];
const reasons: readonly Reason[] = ["stock-enough", "owner-absent", "price", "credit", "competitor", "other"];

interface CheckOutForm {
  readonly outcome: Outcome | null;
  readonly reason: Reason;
  readonly note: string;
}

function readForm(kept: unknown): CheckOutForm {
  const { outcome, reason, note } = (kept ?? {}) as Partial<CheckOutForm>;
  return { outcome: outcome ?? null, reason: reason ?? "stock-enough", note: note ?? "" };
}

/** How the visit went, and its end. */
export function CheckOutScreen() {
  const { t } = useWords();
  const id = useParams()["visit"] ?? "";
  const visit = visitsOf(useFacts()).find((each) => each.id === id);
  if (visit === undefined || visit.checkedOutAt !== null) {
    return (
      <Screen title={t("checkOut.title")} back={visit === undefined ? "/today" : `/visit/${id}`}>
        <Empty icon={walkOutline}>{t(visit === undefined ? "visit.notFound" : "visit.finished")}</Empty>
      </Screen>
    );
  }
  return <CheckOutForm visit={visit} />;
}

function CheckOutForm({ visit }: { visit: Visit }) {
  const { t } = useWords();
  const navigate = useNavigate();
  const engine = useEngine();
  const day = useWorkingDay();
  const form = useForm(`check-out/${visit.id}`, readForm);
  const { capture, busy, problem } = useCapture();
  const name = useId();
  const orders = visit.facts.filter((fact) => isKind(fact, "orderPlaced")).length;
  const outcome = form.content.outcome ?? (orders > 0 ? "ordered" : "no-order");
  const { reason, note } = form.content;

  const checkOut = async () => {
    if (form.id === null) return;
    const place = await takePlace(day.working);
    const fact = await capture({
      kind: "checkOut",
      id: form.id,
      visit: visit.id,
      store: visit.store,
      place,
      body: bodyFor(outcome, reason, note),
    });
    if (fact === null) return;
    await form.done();
    await closeVisitRecord(engine, visit, outcome, fact.envelope.at);
    navigate("/today");
  };

  return (
    <Screen
      title={t("checkOut.title")}
      back={`/visit/${visit.id}`}
      foot={
        <button
          type="button"
          className="button wide"
          disabled={busy || form.id === null}
          onClick={() => void checkOut()}
        >
          {t("checkOut.button")}
        </button>
      }
    >
      <Problem text={problem} />
      <section className="card">
        {orders > 0 && <p className="soft">{t("checkOut.ordersHere", { count: orders })}</p>}
        <fieldset className="choices">
          <legend>{t("checkOut.question")}</legend>
          {outcomes.map((each) => (
            <label key={each} className="choice">
              <input
                type="radio"
                name={name}
                checked={outcome === each}
                onChange={() => form.change({ ...form.content, outcome: each })}
              />
              <span>{t(`visit.outcomes.${each}`)}</span>
            </label>
          ))}
        </fieldset>
        {outcome === "no-order" && (
          <div className="field">
            <label htmlFor={`${name}-reason`}>{t("checkOut.reason")}</label>
            <select
              id={`${name}-reason`}
              className="input"
              value={reason}
              onChange={({ target }) => form.change({ ...form.content, reason: target.value as Reason })}
            >
              {reasons.map((each) => (
                <option key={each} value={each}>
                  {t(`checkOut.reasons.${each}`)}
                </option>
              ))}
            </select>
          </div>
        )}
        {outcome !== "ordered" && (
          <div className="field">
            <label htmlFor={`${name}-note`}>
              {t("checkOut.note")} <span className="soft">({t("common.optional")})</span>
            </label>
            <textarea
              id={`${name}-note`}
              className="input"
              maxLength={1_000}
              value={note}
              onChange={({ target }) => form.change({ ...form.content, note: target.value })}
            />
          </div>
        )}
      </section>
    </Screen>
  );
}

function bodyFor(outcome: Outcome, reason: Reason, note: string): CheckOut {
  switch (outcome) {
    case "ordered":
      return { outcome };
    case "no-order":
      return { outcome, reason, note };
    case "closed":
    case "skipped":
      return { outcome, note };
  }
}
