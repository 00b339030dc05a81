import { problem } from "@sampai/engine/wire";
import { z } from "zod";
import type { RelayContext } from "../context.ts";
import { announcement } from "../reference/routes.ts";
import type { Route } from "../route.ts";
import { runImport } from "./import.ts";

/** All files of one import, in base 64 inside JSON. */
const BODY_BYTES = 100_663_296;

export const importRequestSchema = z.strictObject({
  /** File name → base 64 of its bytes. */
  files: z.record(z.string().max(100), z.base64()),
  /** The week that `+0` means, such as `2026-W48`; this week where absent. */
  week: z.string().max(10).optional(),
});
export type ImportRequest = z.input<typeof importRequestSchema>;

export function routes(context: RelayContext): readonly Route[] {
  // One import after the other: each is checked against what the one before it left.
  let last: Promise<unknown> = Promise.resolve();
  return [
    {
      method: "POST",
      path: "/v1/operator/import",
      access: "operator",
      bodyBytes: BODY_BYTES,
      does: "Imports CSV files: people and reference pack, store masters and journey plans; or names every bad row.",
      handle: async (c) => {
        const request = importRequestSchema.safeParse(await c.req.json().catch(() => undefined));
        if (!request.success) return { code: "request.malformed", detail: "files, week" };
        const { files: encoded, week } = request.data;
        const files = Object.fromEntries(
          Object.entries(encoded).map(([name, text]) => [name, new Uint8Array(Buffer.from(text, "base64"))]),
        );
        const run = last.then(() => runImport(context, files, week === undefined ? {} : { week }));
        last = run.catch(() => undefined);
        const result = await run;
        if (!result.ok) {
          const detail = `${result.error.length} problems`;
          const type = { "content-type": "application/problem+json" };
          return c.json({ ...problem({ code: "import.rows", detail }), problems: result.error }, 422, type);
        }
        const { pack } = result.value;
        if (pack.isNew) context.hub.send(announcement(pack), () => true);
        return c.json(result.value);
      },
    },
  ];
}
