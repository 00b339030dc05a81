import { z } from "zod";
import type { HttpAnswer } from "./http.ts";
import type { LinkEnd } from "./link.ts";
import { refusals, type Refusal, type RefusalCode } from "../wire/index.ts";

/** Refusals after which trying again at once is of no use: somebody has to do something first. */
const FINAL: ReadonlySet<RefusalCode> = new Set(["auth.missing", "auth.unknown", "auth.revoked", "frame.version"]);

export function isFinal(refusal: Refusal): boolean {
  return FINAL.has(refusal.code);
}

/** What a close code says, where it is one of the refusals' own. */
export function refusalOfClose(end: LinkEnd): Refusal | null {
  const codes = Object.keys(refusals) as RefusalCode[];
  const named = codes.find((code) => code === end.reason && refusals[code].close === end.code);
  const code = named ?? [...FINAL].find((final) => refusals[final].close === end.code);
  return code === undefined ? null : { code };
}

const problemSchema = z.looseObject({ code: z.string(), detail: z.string().optional() });

/** What an HTTP answer refuses, where it is the relay that speaks and not somebody's captive portal. */
export function refusalOfAnswer(answer: HttpAnswer): Refusal | null {
  if (answer.status < 400) return null;
  try {
    const body = problemSchema.safeParse(JSON.parse(new TextDecoder().decode(answer.body)));
    if (!body.success || !(body.data.code in refusals)) return null;
    const code = body.data.code as RefusalCode;
    return body.data.detail === undefined ? { code } : { code, detail: body.data.detail };
  } catch {
    return null;
  }
}
