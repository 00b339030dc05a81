import { eventKinds, kindByName, policies, ringgit, type OrderLine } from "@sampai/engine";
import { cubeOutline } from "ionicons/icons";
import { useParams } from "react-router-dom";
import { z } from "zod";
import { RelayPhoto } from "../../board/RelayPhoto.tsx";
import { useRelay } from "../../board/use-relay.ts";
import { Badge } from "../../ui/Badge.tsx";
import { Empty } from "../../ui/Empty.tsx";
import { Fact } from "../../ui/Fact.tsx";
import { Loading } from "../../ui/Loading.tsx";
import { Screen } from "../../ui/Screen.tsx";
import { useWords } from "../../ui/use-words.ts";

const sentence = z.object({ en: z.string(), ms: z.string() });

const orderViewSchema = z.object({
  id: z.string(),
  kind: z.string(),
  rep: z.string(),
  store: z.string().nullable(),
  state: z.array(z.object({ step: z.string(), at: z.string().nullable() })),
  body: z.unknown(),
  seen: z.object({ pack: z.number().nullable() }),
  judgement: z.object({
    judged: z.boolean(),
    passed: z.array(z.string()),
    verdicts: z.array(z.object({ rule: z.string(), verdict: z.enum(["fail", "not-checked"]), sentence })),
    findings: z.array(z.object({ detector: z.string(), sentence: z.string() })),
  }),
  receipt: z.object({ position: z.number(), received: z.string() }),
});
type OrderView = z.infer<typeof orderViewSchema>;

const storySchema = z.object({
  /** `at` is null for what keeps no time of its own. */
  steps: z.array(z.object({ at: z.string().nullable(), sentence: z.string() })),
});

/** One order (or any other fact) at headquarters: what it says, how it was checked, and where it spent its time. */
export function OrderViewScreen({ back }: { back: string }) {
  const { t } = useWords();
  const id = useParams()["order"] ?? "";
  const asked = useRelay(orderViewSchema, `/v1/orders/${encodeURIComponent(id)}`);
  return (
    <Screen title={t("orderView.title")} back={back} wide>
      {asked.state === "loading" && <Loading />}
      {asked.state === "error" && (
        <div className="card">
          <Empty icon={cubeOutline}>
            {asked.status === 404 ? t("orderView.unknown") : t("board.error", { status: asked.status })}
          </Empty>
        </div>
      )}
      {asked.state === "here" && <Order order={asked.value} />}
    </Screen>
  );
}

function Order({ order }: { order: OrderView }) {
  const { t, language, format } = useWords();
  const at = (step: string) => order.state.find((each) => each.step === step)?.at ?? null;
  const captured = at("captured");
  const lines = linesIn(order.body);
  return (
    <div className="board">
      <section className="card" aria-labelledby="order-facts">
        <h2 id="order-facts">{kindByName(order.kind)?.label[language] ?? order.kind}</h2>
        <dl className="facts">
          <Fact name={t("orderView.rep")} value={order.rep} />
          <Fact name={t("orderView.store")} value={order.store ?? "–"} />
          <Fact name={t("orderView.captured")} value={captured === null ? "–" : format.time(captured)} />
          <Fact name={t("orderView.received")} value={format.time(order.receipt.received)} />
          <Fact
            name={t("orderView.position")}
            value={t("sync.position", { position: format.number(order.receipt.position) })}
          />
          <Fact
            name={t("orderView.pack")}
            value={order.seen.pack === null ? "–" : t("orderView.packNumber", { number: order.seen.pack })}
          />
        </dl>
        {order.kind === eventKinds.photoCaptured.name && (
          <div className="photos">
            <RelayPhoto photo={order.id} alt={eventKinds.photoCaptured.label[language]} />
          </div>
        )}
        {lines.length > 0 && <Lines lines={lines} pack={order.seen.pack} />}
      </section>
      <div className="stack">
        <Checks order={order} />
        <Trail id={order.id} />
      </div>
    </div>
  );
}

/** The lines of an order's body; a fact of another kind, or one that nobody can read, has none. */
function linesIn(body: unknown): readonly OrderLine[] {
  const lines = (body as { lines?: unknown } | null)?.lines;
  return Array.isArray(lines) ? (lines as OrderLine[]) : [];
}

const goodsSchema = z.object({ goods: z.array(z.object({ sku: z.string(), name: z.string() })) });

/** The lines with the goods' names as the pack that the rep saw has them; without it, by code. */
function Lines({ lines, pack }: { lines: readonly OrderLine[]; pack: number | null }) {
  const { t, format } = useWords();
  const asked = useRelay(goodsSchema, `/v1/packs/${pack ?? 0}`);
  const names = new Map(asked.state === "here" ? asked.value.goods.map(({ sku, name }) => [sku, name]) : []);
  const columns = [t("orderView.good"), t("orderView.quantity"), t("orderView.amount")] as const;
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label={t("orderView.lines")}>
      <table>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <th key={column} scope="col" className={index > 0 ? "number" : ""}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={`${line.sku}/${line.scheme ?? ""}`}>
              <td>
                {names.get(line.sku) ?? line.sku}{" "}
                <span className="soft small">
                  {names.has(line.sku) && line.sku}
                  {line.scheme !== null && ` · ${line.scheme}`}
                </span>
              </td>
              <td className="number">
                {format.number(line.quantity)} × {ringgit(line.unitPriceSen)}
                <br />
                <span className="soft small">{line.unit}</span>
              </td>
              <td className="number">{ringgit(line.quantity * line.unitPriceSen)}</td>
            </tr>
          ))}
          <tr>
            <td className="strong" colSpan={2}>
              {t("orderView.total")}
            </td>
            <td className="number strong">
              {ringgit(lines.reduce((sum, line) => sum + line.quantity * line.unitPriceSen, 0))}
            </td>
          </tr>
        </tbody>
      </table>
    </div>
  );
}

function Checks({ order }: { order: OrderView }) {
  const { t, language } = useWords();
  const { judged, passed, verdicts, findings } = order.judgement;
  // A passed rule is named with its version, such as `known-sku@1`.
  const label = (rule: string) => policies.find(({ name }) => name === rule.split("@")[0])?.label[language] ?? rule;
  return (
    <section className="card" aria-labelledby="checks">
      <h2 id="checks">{t("orderView.verdicts")}</h2>
      {!judged && <p className="soft">{t("orderView.noVerdicts")}</p>}
      <ul className="stack">
        {verdicts.map(({ rule, verdict, sentence }) => (
          <li key={rule} className="spread">
            <span>{sentence[language]}</span>
            <Badge icon={verdict === "fail" ? "alert" : "unknown"} tone={verdict === "fail" ? "person" : "plain"}>
              {t(`orderView.verdict.${verdict}`)}
            </Badge>
          </li>
        ))}
        {findings.map(({ detector, sentence }) => (
          <li key={detector} className="spread">
            <span>{sentence}</span>
            <Badge icon="unknown" tone="waits">
              {t("orderView.question")}
            </Badge>
          </li>
        ))}
        {passed.map((rule) => (
          <li key={rule} className="spread">
            <span>{label(rule)}</span>
            <Badge icon="done" tone="done">
              {t("orderView.verdict.pass")}
            </Badge>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Trail({ id }: { id: string }) {
  const { t, format } = useWords();
  const asked = useRelay(storySchema, `/v1/trail/${encodeURIComponent(id)}`);
  return (
    <section className="card" aria-labelledby="trail">
      <h2 id="trail">{t("orderView.trail")}</h2>
      {asked.state === "loading" && <Loading rows={2} />}
      {asked.state === "error" && (
        <p className="soft">
          {asked.status === 404 ? t("orderView.noTrail") : t("board.error", { status: asked.status })}
        </p>
      )}
      {asked.state === "here" && (
        <ol className="timeline">
          {asked.value.steps.map((step, index) => (
            <li key={`${step.at ?? ""}/${index}`}>
              <div>
                <p>{step.sentence}</p>
                {step.at !== null && <p className="soft small">{format.time(step.at)}</p>}
              </div>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
