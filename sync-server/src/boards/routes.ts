import { randomBytes } from "node:crypto";
import type { RelayContext } from "../context.ts";
import { territoriesOf } from "../followers/scope.ts";
import type { Followers } from "../followers/start.ts";
import type { Caller } from "../relay/part.ts";
import type { Route } from "../route.ts";
import { boardByName } from "./index.ts";
import { createLiveBoard, type LiveBoard, type LiveMessage } from "./live.ts";
import { openEventStream } from "./sse.ts";

const office = ["hq", "supervisor"] as const;
/** Scopes (sets of territories) kept with the deltas that lead to now. */
const SCOPES = 200;
const READERS_PER_PERSON = 10;

export function boardRoutes(context: RelayContext, followers: () => Followers | null): readonly Route[] {
  const epoch = randomBytes(6).toString("hex");
  const live = new Map<string, LiveBoard>();
  const readers = new Map<string, number>();
  const liveOf = (name: string, caller: Caller, running: Followers): LiveBoard | undefined => {
    const board = boardByName(name);
    if (board === undefined) return undefined;
    const territories = territoriesOf(caller).toSorted();
    const key = JSON.stringify([name, territories]);
    const known = live.get(key);
    if (known !== undefined) return known;
    for (const [other, idle] of live) if (live.size >= SCOPES && idle.readers() === 0) live.delete(other);
    const made = createLiveBoard(board, territories, running, epoch);
    live.set(key, made);
    return made;
  };
  return [
    {
      method: "GET",
      path: "/v1/boards/:name",
      access: office,
      does: "A board's snapshot: its top line with how complete it is, and its rows. A supervisor sees their own territories.",
      handle: async (c, caller) => {
        const running = followers();
        const board = boardByName(c.req.param("name") ?? "");
        if (board === undefined) return { code: "request.unknown" };
        if (running === null || caller === null) return { code: "relay.busy" };
        const answer = await running.ask("board", { name: board.board });
        if (!answer.ok) return answer.error;
        if (answer.value === null) return { code: "request.unknown" };
        return c.json(board.scoped(answer.value, territoriesOf(caller)));
      },
    },
    {
      method: "GET",
      path: "/v1/boards/:name/live",
      access: office,
      does: "The same as server-sent events: a snapshot, then deltas; Last-Event-ID resumes.",
      handle: async (c, caller) => {
        const running = followers();
        if (running === null || caller === null) return { code: "relay.busy" };
        const board = liveOf(c.req.param("name") ?? "", caller, running);
        if (board === undefined) return { code: "request.unknown" };
        const count = readers.get(caller.person) ?? 0;
        if (count >= READERS_PER_PERSON) return { code: "frame.rate", detail: "too many live feeds of one person" };
        readers.set(caller.person, count + 1);
        let leave = () => {};
        const stream = openEventStream(() => {
          leave();
          stillAllowed();
          readers.set(caller.person, (readers.get(caller.person) ?? 1) - 1);
        });
        // A revoked device's feed ends when there is something to tell, not when it closes by itself.
        const stillAllowed = running.onChanged(() => {
          const bearer = /^Bearer (.+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
          if (!context.tokens.callerOf(bearer).ok) stream.end();
        });
        const send = (message: LiveMessage) => stream.send(message);
        const joined = await board.join(c.req.header("last-event-id") ?? null, send);
        if (joined === null) {
          stream.end();
          return { code: "relay.busy" };
        }
        leave = joined;
        return stream.response;
      },
    },
  ];
}
