import {
  bestMs,
  dayIn,
  goodBySku,
  orderTotalSen,
  priceOf,
  ringgit,
  schemesOf,
  searchGoods,
  utcFromMs,
  type EventBody,
  type Good,
  type Pack,
  type Scalar,
} from "@sampai/engine";
import { cubeOutline } from "ionicons/icons";
import { useId, useMemo, useState } from "react";
import { useNavigate, useParams } from "react-router-dom";
import { takePlace } from "../../device/location.ts";
import { useDocument, useEngine, useFacts, usePack } from "../../session/engine-context.tsx";
import { useIdentity } from "../../session/identity-context.ts";
import { systemClock } from "../../session/system.ts";
import { useCapture } from "../../session/use-capture.ts";
import { useForm } from "../../session/use-form.ts";
import { useWorkingDay } from "../../session/use-working-day.ts";
import { Badge } from "../../ui/Badge.tsx";
import { Empty } from "../../ui/Empty.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { Screen } from "../../ui/Screen.tsx";
import { SearchField } from "../../ui/SearchField.tsx";
import { Stepper } from "../../ui/Stepper.tsx";
import { useWords } from "../../ui/use-words.ts";
import { adviceOn, linesOf, type Basket } from "../../visits/order-basket.ts";
import { visitsOf } from "../../visits/visit-history.ts";

const SHOWN_FIRST = 30;

interface OrderForm {
  readonly basket: Basket;
  readonly note: string;
}

function readForm(kept: unknown): OrderForm {
  const { basket, note } = (kept ?? {}) as Partial<OrderForm>;
  return { basket: basket ?? {}, note: note ?? "" };
}

/** An order from the catalogue: search, quantities, the price that this quantity gets, what HQ would say. */
export function OrderScreen() {
  const { t } = useWords();
  const pack = usePack();
  const id = useParams()["visit"] ?? "";
  const visit = visitsOf(useFacts()).find((each) => each.id === id);
  const back = `/visit/${id}`;
  if (pack === null || visit === undefined) {
    return (
      <Screen title={t("order.title")} back={back}>
        <Empty icon={cubeOutline}>{pack === null ? t("order.noGoods") : t("visit.notFound")}</Empty>
      </Screen>
    );
  }
  return <OrderForm pack={pack} visit={visit.id} store={visit.store} back={back} />;
}

function OrderForm({ pack, visit, store, back }: { pack: Pack; visit: string; store: string; back: string }) {
  const { t, zone } = useWords();
  const navigate = useNavigate();
  const engine = useEngine();
  const identity = useIdentity();
  const working = useWorkingDay();
  const form = useForm(`order/${visit}`, readForm);
  const master = useDocument("store", store);
  const { capture, busy, problem } = useCapture();
  const { basket, note } = form.content;
  const day = dayIn(bestMs(systemClock, engine.status().anchor), zone);
  const lines = linesOf(pack, basket, day);
  const totalSen = orderTotalSen(lines);
  const seen = master.state === "here" ? master.value.value : {};
  const limit = (seen["creditLimitSen"] ?? null) as Scalar;
  const creditLimitSen = typeof limit === "number" ? limit : null;
  const body: EventBody<"orderPlaced"> = { lines: [...lines], totalSen, creditLimitSen, deliverOn: null, note };

  const place = async () => {
    if (form.id === null || lines.length === 0) return;
    const at = await takePlace(working.working);
    const fact = await capture({
      kind: "orderPlaced",
      id: form.id,
      visit,
      store,
      place: at,
      body,
      ...(master.state === "here" ? { storeHeads: master.value.heads } : {}),
    });
    if (fact === null) return;
    await form.done();
    navigate(back);
  };

  return (
    <Screen
      title={t("order.title")}
      back={back}
      foot={
        <>
          <p className="stack" role="status">
            <span className="soft small">
              {lines.length === 0 ? t("order.empty") : t("order.lines", { count: lines.length })}
            </span>
            <span className="strong">{ringgit(totalSen)}</span>
          </p>
          <button
            type="button"
            className="button"
            disabled={busy || form.id === null || lines.length === 0}
            onClick={() => void place()}
          >
            {busy ? t("order.placing") : t("order.place")}
          </button>
        </>
      }
    >
      <Problem text={problem} />
      <Advice
        body={body}
        visit={visit}
        store={store}
        pack={pack}
        status={typeof seen["status"] === "string" ? seen["status"] : null}
        known={master.state === "here"}
        creditHold={seen["creditHold"] === true}
        attendance={working.working ? "started" : working.endedAt === null ? "not-started" : "ended"}
        rep={identity.rep}
      />
      <Catalogue
        pack={pack}
        day={day}
        basket={basket}
        choose={(sku, quantity) => form.change({ note, basket: withQuantity(basket, sku, quantity) })}
      />
      <NoteField value={note} change={(next) => form.change({ basket, note: next })} />
    </Screen>
  );
}

function withQuantity(basket: Basket, sku: string, quantity: number): Basket {
  const next = { ...basket, [sku]: quantity };
  if (quantity === 0) delete next[sku];
  return next;
}

interface AdviceProps {
  readonly body: EventBody<"orderPlaced">;
  readonly visit: string;
  readonly store: string;
  readonly pack: Pack;
  readonly status: string | null;
  /** Whether the store master is on this phone at all. */
  readonly known: boolean;
  readonly creditHold: boolean;
  readonly attendance: "not-started" | "started" | "ended";
  readonly rep: string;
}

function Advice({ body, visit, store, pack, status, known, creditHold, attendance, rep }: AdviceProps) {
  const { t, language } = useWords();
  const identity = useIdentity();
  const { totalSen, creditLimitSen } = body;
  const verdicts =
    body.lines.length === 0
      ? []
      : adviceOn(
          body,
          { identity, visit, store, at: utcFromMs(systemClock.wallMs()) },
          {
            pack,
            store: known ? { status, creditLimitSen } : null,
            visit: { rep, store, state: "open" },
            closedDays: null,
            attendance,
          },
        );
  const above = creditLimitSen !== null && totalSen > creditLimitSen;
  const others = verdicts.filter(({ rule }) => rule !== "credit-limit");
  return (
    <section className={above || creditHold || others.length > 0 ? "card advice" : "card"} aria-live="polite">
      <p className={above ? "strong" : ""}>
        {creditLimitSen === null
          ? t("order.creditUnknown")
          : above
            ? t("order.creditAbove", { over: ringgit(totalSen - creditLimitSen), limit: ringgit(creditLimitSen) })
            : t("order.creditWithin", { limit: ringgit(creditLimitSen) })}
      </p>
      {creditHold && <p className="strong">{t("order.creditHold")}</p>}
      {others.length > 0 && (
        <div className="stack">
          <p className="strong">{t("order.advice")}</p>
          <ul className="stack">
            {others.map((verdict) => (
              <li key={verdict.rule}>{verdict.sentence[language]}</li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

interface CatalogueProps {
  readonly pack: Pack;
  readonly day: string;
  readonly basket: Basket;
  readonly choose: (sku: string, quantity: number) => void;
}

function Catalogue({ pack, day, basket, choose }: CatalogueProps) {
  const { t } = useWords();
  const categoryField = useId();
  const [text, setText] = useState("");
  const [category, setCategory] = useState("");
  const [onlyChosen, setOnlyChosen] = useState(false);
  const [shown, setShown] = useState(SHOWN_FIRST);
  const categories = useMemo(() => [...new Set(pack.goods.map((good) => good.category))].sort(), [pack]);
  const found = onlyChosen
    ? Object.keys(basket).flatMap((sku) => goodBySku(pack, sku) ?? [])
    : searchGoods(pack, text).filter((good) => category === "" || good.category === category);
  const anyMadeUp = pack.goods.some((good) => good.priceMadeUp);
  return (
    <section className="card flush" aria-label={t("order.title")}>
      <header className="stack">
        <SearchField
          label={t("order.search")}
          text={text}
          change={(typed) => {
            setText(typed);
            setOnlyChosen(false);
            setShown(SHOWN_FIRST);
          }}
        />
        <div className="filter">
          <div className="field">
            <label htmlFor={categoryField}>{t("order.category")}</label>
            <select
              id={categoryField}
              className="input"
              value={category}
              onChange={({ target }) => {
                setCategory(target.value);
                setOnlyChosen(false);
              }}
            >
              <option value="">{t("common.all")}</option>
              {categories.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </div>
          <button
            type="button"
            className="button quiet"
            aria-pressed={onlyChosen}
            onClick={() => setOnlyChosen(!onlyChosen)}
          >
            {onlyChosen ? t("common.all") : t("order.onlyChosen")}
          </button>
        </div>
        {anyMadeUp && <p className="soft small">{t("order.madeUpNote")}</p>}
      </header>
      {found.length === 0 && <Empty icon={cubeOutline}>{onlyChosen ? t("order.empty") : t("order.noMatch")}</Empty>}
      <ul className="rows">
        {found.slice(0, shown).map((good) => (
          <li key={good.sku}>
            <GoodRow pack={pack} good={good} day={day} quantity={basket[good.sku] ?? 0} choose={choose} />
          </li>
        ))}
      </ul>
      {found.length > shown && (
        <button type="button" className="row text-button" onClick={() => setShown(shown + 100)}>
          {t("common.moreOf", { shown, total: found.length })}
        </button>
      )}
    </section>
  );
}

interface GoodRowProps {
  readonly pack: Pack;
  readonly good: Good;
  readonly day: string;
  readonly quantity: number;
  readonly choose: (sku: string, quantity: number) => void;
}

function GoodRow({ pack, good, day, quantity, choose }: GoodRowProps) {
  const { t } = useWords();
  const price = priceOf(pack, good.sku, Math.max(1, quantity), day);
  const schemes = schemesOf(pack, good.sku, day);
  const unitPriceSen = price?.unitPriceSen ?? good.priceSen;
  return (
    <div className="good" data-chosen={quantity > 0}>
      <div className="stack">
        <span className="strong">{good.name}</span>
        <span className="inline soft">
          {good.sku} · {ringgit(unitPriceSen)} {t("order.perUnit", { unit: good.unit })}
          {good.priceMadeUp && (
            <Badge icon="unknown" tone="waits">
              {t("order.madeUp")}
            </Badge>
          )}
        </span>
        {price?.scheme != null && (
          <span>
            <Badge icon="done" tone="now">
              {t("order.schemeOn", { scheme: price.scheme })}
            </Badge>
          </span>
        )}
        {schemes
          .filter((scheme) => quantity < scheme.fromQuantity)
          .slice(0, 2)
          .map((scheme) => (
            <span key={scheme.scheme} className="soft small">
              {t("order.scheme", { quantity: scheme.fromQuantity, price: ringgit(scheme.unitPriceSen) })}
            </span>
          ))}
      </div>
      <div className="stack">
        <Stepper name={good.name} value={quantity} change={(next) => choose(good.sku, next)} />
        {quantity > 0 && <span className="number strong">{ringgit(quantity * unitPriceSen)}</span>}
      </div>
    </div>
  );
}

function NoteField({ value, change }: { value: string; change: (value: string) => void }) {
  const { t } = useWords();
  const id = useId();
  return (
    <section className="card">
      <div className="field">
        <label htmlFor={id}>
          {t("order.note")} <span className="soft">({t("common.optional")})</span>
        </label>
        <textarea
          id={id}
          className="input"
          maxLength={1_000}
          value={value}
          onChange={({ target }) => change(target.value)}
        />
      </div>
    </section>
  );
}
