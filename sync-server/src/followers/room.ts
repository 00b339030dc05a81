import type { RelayContext } from "../context.ts";
import type { Route } from "../route.ts";
import { longestSilenceMs } from "../relay/life.ts";
import { boardRoutes } from "../boards/routes.ts";
import { followerRoutes } from "./routes.ts";
import { startFollowers, type Followers } from "./start.ts";

const running = new WeakMap<RelayContext, Followers>();

/** Verdicts, findings, boards, alerts, fleet and stories: what is made of the facts, beside the path that takes them in. */
export function start(context: RelayContext): Promise<() => Promise<void>> {
  const { config, workspace, writer, hub, clock, log } = context;
  const data = {
    dataDir: config.dir,
    workspace: workspace.id,
    zone: workspace.zone,
    longestSilenceMs: longestSilenceMs(config),
  };
  const followers = startFollowers({ data, writer, hub, clock, log });
  running.set(context, followers);
  return Promise.resolve(() => followers.close());
}

export function routes(context: RelayContext): readonly Route[] {
  const followers = () => running.get(context) ?? null;
  return [...boardRoutes(context, followers), ...followerRoutes(context, followers)];
}
