import type { RelayContext } from "../context.ts";
import { sqlOf } from "../database/sql.ts";
import type { Route } from "../route.ts";
import { publishedTime, timesOf } from "./run-times.ts";

export function routes(context: RelayContext): Route[] {
  const sql = sqlOf(context.db);
  return [
    {
      method: "GET",
      path: "/v1/events/:id/time",
      access: "device",
      does: "Between which moments an event must have happened, by its offline id: a rep's own, anyone's for the others.",
      handle: (c, caller) => {
        const id = c.req.param("id") ?? "";
        const unknown = { code: "log.unknown", detail: id.slice(0, 60) } as const;
        const event = sql(
          "select device, run, seq, hash, received, position from log where id = ? and type = 'event' order by position limit 1",
        ).get(id) as
          | { device: string; run: string; seq: number; hash: string; received: string; position: number }
          | undefined;
        if (event === undefined || (caller?.role === "rep" && caller.device !== event.device)) return unknown;
        const time = timesOf(sql, [event]).get(event.hash);
        const { position, received } = event;
        return c.json({ id, position, received, time: time === undefined ? null : publishedTime(time) });
      },
    },
  ];
}
