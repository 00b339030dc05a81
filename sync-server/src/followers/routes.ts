import { utcFromMs } from "@sampai/engine/core";
import type { Refusal } from "@sampai/engine/wire";
import type { Context } from "hono";
import { z } from "zod";
import type { RelayContext } from "../context.ts";
import type { Caller } from "../relay/part.ts";
import type { Route } from "../route.ts";
import type { PageInput, QuestionAnswer, QuestionInput, QuestionName } from "./questions.ts";
import { visibleReps } from "./scope.ts";
import type { Followers } from "./start.ts";

const office = ["hq", "supervisor"] as const;
const nowhere: Refusal = { code: "request.unknown" };

const pageQuery = z.object({
  before: z.coerce.number().int().min(0).optional(),
  count: z.coerce.number().int().min(1).max(500).default(100),
  rep: z.string().max(60).optional(),
  store: z.string().max(60).optional(),
});

const snoozeBody = z.strictObject({
  /** RFC 3339 UTC, at most 30 days ahead; the past ends a snooze. */
  until: z.iso.datetime({ offset: false }),
});
const LONGEST_SNOOZE_MS = 30 * 86_400_000;

/** What followers made of the facts, for HQ and, within their territories, for supervisors. */
export function followerRoutes(context: RelayContext, followers: () => Followers | null): readonly Route[] {
  const { db, writer, clock } = context;
  const ask = async <N extends QuestionName>(
    name: N,
    input: QuestionInput<N>,
  ): Promise<QuestionAnswer<N> | Refusal> => {
    const running = followers();
    if (running === null) return { code: "relay.busy" };
    const answer = await running.ask(name, input);
    return answer.ok ? answer.value : answer.error;
  };
  const listed = (name: "findings" | "verdicts") => async (c: Context, caller: Caller | null) => {
    const query = pageQuery.safeParse(c.req.query());
    if (!query.success || caller === null) return malformed(query.error);
    const { before = null, count, rep = null, store = null } = query.data;
    const input: PageInput = { before, count, rep, store, reps: visibleReps(db, caller) };
    const answer = await ask(name, input);
    return isRefusal(answer) ? answer : c.json(answer);
  };
  return [
    {
      method: "GET",
      path: "/v1/alerts",
      access: office,
      does: "Alerts that stand now, each with its reason, evidence and snooze.",
      handle: async (c, caller) => {
        const answer = await ask("alerts", undefined);
        if (isRefusal(answer) || caller === null) return answer as Refusal;
        const reps = visibleReps(db, caller);
        const seen = answer.filter(({ rep }) => reps === null || (rep !== null && reps.includes(rep)));
        return c.json({ alerts: seen });
      },
    },
    {
      method: "POST",
      path: "/v1/alerts/:alert/snooze",
      access: office,
      does: "Asks not to be told of an alert until a moment. Stands in the trail with who asked.",
      handle: async (c, caller) => {
        const body = snoozeBody.safeParse(await c.req.json().catch(() => null));
        if (!body.success || caller === null) return malformed(body.error);
        const { until } = body.data;
        if (Date.parse(until) > clock.wallMs() + LONGEST_SNOOZE_MS) {
          return { code: "request.malformed", detail: "until: at most 30 days ahead" };
        }
        const name = c.req.param("alert") ?? "";
        const answer = await ask("alerts", undefined);
        if (isRefusal(answer)) return answer;
        const reps = visibleReps(db, caller);
        const known = answer.find(({ alert }) => alert === name);
        if (known === undefined) return nowhere;
        if (reps !== null && (known.rep === null || !reps.includes(known.rep))) return { code: "auth.role" };
        const detail = { action: "snoozed", until, by: caller.person, at: utcFromMs(clock.wallMs()) };
        await writer.run("note", { rows: [{ topic: "alert", device: caller.device, item: name, detail }] });
        return c.json({ alert: name, snoozed: { until, by: caller.person } });
      },
    },
    {
      method: "GET",
      path: "/v1/findings",
      access: office,
      does: "What detectors noticed, newest first. Query: before, count, rep, store.",
      handle: listed("findings"),
    },
    {
      method: "GET",
      path: "/v1/verdicts",
      access: office,
      does: "Failed business rules, newest first. Query: before, count, rep, store.",
      handle: listed("verdicts"),
    },
    {
      method: "GET",
      path: "/v1/fleet",
      access: office,
      does: "Every device with its verdict (all-in, owing, silent, needs-help, revoked) and the numbers of its last claim.",
      handle: async (c, caller) => {
        const answer = await ask("fleet", undefined);
        if (isRefusal(answer) || caller === null) return answer as Refusal;
        const reps = visibleReps(db, caller);
        return c.json({ devices: answer.filter(({ person }) => reps === null || reps.includes(person)) });
      },
    },
    {
      method: "GET",
      path: "/v1/followers",
      access: ["hq"],
      does: "Where each follower stands in its stream, and why one does not go on.",
      handle: async (c) => {
        const answer = await ask("followers", undefined);
        return isRefusal(answer) ? answer : c.json({ followers: answer });
      },
    },
    {
      method: "GET",
      path: "/v1/orders/:id",
      access: "device",
      does: "One fact on its way: state, content, verdicts, findings and its place in the order log.",
      handle: async (c, caller) => {
        const answer = await ask("order", { id: c.req.param("id") ?? "" });
        if (answer === null) return nowhere;
        if (isRefusal(answer)) return answer;
        return maySee(context, caller, answer.rep) ? c.json(answer) : { code: "auth.role" };
      },
    },
    {
      method: "GET",
      path: "/v1/trail/:item",
      access: "device",
      does: "Where an item spent its time: the phone's attempts and the relay's trail in order, in sentences.",
      handle: async (c, caller) => {
        const answer = await ask("story", { item: c.req.param("item") ?? "" });
        if (answer === null) return nowhere;
        if (isRefusal(answer)) return answer;
        return maySee(context, caller, answer.rep) ? c.json(answer) : { code: "auth.role" };
      },
    },
    {
      method: "GET",
      path: "/v1/operator/trail/:item",
      access: "operator",
      does: "The same, for the command line.",
      handle: async (c) => {
        const item = c.req.param("item") ?? "";
        const answer = await ask("story", { item });
        if (answer === null) return { ...nowhere, detail: item.slice(0, 60) };
        return isRefusal(answer) ? answer : c.json(answer);
      },
    },
  ];
}

/** What belongs to nobody known (a stock peer's document, an operator's import) is HQ's alone. */
function maySee({ db }: RelayContext, caller: Caller | null, rep: string | null): boolean {
  if (caller === null) return false;
  const reps = visibleReps(db, caller);
  return reps === null || (rep !== null && reps.includes(rep));
}

function malformed(error: z.ZodError | undefined): Refusal {
  const issue = error?.issues[0];
  const detail = issue === undefined ? "" : `${issue.path.join(".")}: ${issue.message}`;
  return { code: "request.malformed", detail: detail.slice(0, 200) };
}

/** Answers of the followers never have a `code`; refusals always do. */
function isRefusal(answer: unknown): answer is Refusal {
  return typeof answer === "object" && answer !== null && "code" in answer;
}
