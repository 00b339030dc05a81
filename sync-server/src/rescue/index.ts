import { limits } from "@sampai/engine/wire";
import type { RelayContext } from "../context.ts";
import type { Route } from "../route.ts";
import { importRescue } from "./import-rescue.ts";

export function routes(context: RelayContext): Route[] {
  return [
    {
      method: "POST",
      path: "/v1/operator/rescue",
      access: "operator",
      bodyBytes: limits.rescueBytes,
      does: "Imports a rescue file: one phone's unsent queue. The same file again moves nothing.",
      handle: async (c) => {
        const report = await importRescue(context, new Uint8Array(await c.req.arrayBuffer()));
        return report.ok ? c.json(report.value) : report.error;
      },
    },
  ];
}
