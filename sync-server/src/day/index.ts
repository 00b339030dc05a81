import type { Context } from "hono";
import { z } from "zod";
import type { Refusal } from "@sampai/engine/wire";
import type { RelayContext } from "../context.ts";
import { sqlOf } from "../database/sql.ts";
import type { Caller } from "../relay/part.ts";
import type { Route } from "../route.ts";
import { viewDay } from "./day-view.ts";
import { startDays } from "./keeper.ts";
import { newestDays } from "./stored-certificates.ts";

export const start = startDays;

const DAYS_SHOWN = 31;
const daySchema = z.iso.date();

export function routes(context: RelayContext): Route[] {
  const sql = sqlOf(context.db);
  const { zone } = context.workspace;
  const mayRead = (caller: Caller, rep: string): boolean => {
    if (caller.person === rep || caller.role === "hq") return true;
    if (caller.role === "rep") return false;
    const row = sql("select territories from person where code = ?").get(rep) as { territories: string } | undefined;
    const territories = row === undefined ? [] : (JSON.parse(row.territories) as string[]);
    return caller.territories.includes("*") || territories.some((code) => caller.territories.includes(code));
  };
  const answer = (c: Context, caller: Caller | null, days: (rep: string) => object | Refusal): Response | Refusal => {
    const rep = c.req.param("rep") ?? "";
    // The same answer for a stranger's day and for nobody's, so that codes cannot be guessed at.
    if (caller === null || !mayRead(caller, rep)) return { code: "day.unknown", detail: rep.slice(0, 60) };
    if (sql("select 1 from person where code = ?").get(rep) === undefined)
      return { code: "day.unknown", detail: rep.slice(0, 60) };
    const found = days(rep);
    return "code" in found ? found : c.json(found, 200, { "cache-control": "no-store" });
  };
  return [
    {
      method: "GET",
      path: "/v1/days/:rep",
      access: "device",
      does: "A person's newest certified days: one's own, or of one's territory.",
      handle: (c, caller) =>
        answer(c, caller, (rep) => ({
          rep,
          days: newestDays(sql, rep, DAYS_SHOWN).map((day) => viewDay(sql, { rep, day, zone })),
        })),
    },
    {
      method: "GET",
      path: "/v1/days/:rep/:day",
      access: "device",
      does: "How complete a person's day is, by name of what is missing, with the certificate that holds for it.",
      handle: (c, caller) =>
        answer(c, caller, (rep) => {
          const day = daySchema.safeParse(c.req.param("day"));
          if (!day.success) return { code: "request.malformed", detail: "a day is YYYY-MM-DD" };
          return viewDay(sql, { rep, day: day.data, zone });
        }),
    },
  ];
}
