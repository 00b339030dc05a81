import { limits } from "@sampai/engine/wire";
import type { RelayContext } from "../context.ts";
import type { Route } from "../route.ts";
import { importRescue, judgeRescue } from "./import-rescue.ts";

export function routes(context: RelayContext): Route[] {
  return [
    {
      method: "POST",
      path: "/v1/operator/rescue",
      access: "operator",
      bodyBytes: limits.rescueBytes,
      does: "Imports a rescue file: one phone's unsent queue. The same file again moves nothing.",
      handle: async (c) => {
        const judged = await judgeRescue(context.workspace, new Uint8Array(await c.req.arrayBuffer()));
        if (!judged.ok) return judged.error;
        const report = await importRescue(context, judged.value);
        return report.ok ? c.json(report.value) : report.error;
      },
    },
  ];
}
