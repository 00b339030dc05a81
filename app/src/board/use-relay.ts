import { useEffect, useState } from "react";
import type { z } from "zod";
import { useIdentity } from "../session/identity-context.ts";

export type Asked<T> =
  | { readonly state: "loading" }
  | { readonly state: "here"; readonly value: T }
  /** `status` 0: no answer came. */
  | { readonly state: "error"; readonly status: number };

/** Stands where a status would: the relay answered something that this app cannot read. */
const UNREADABLE = 422;

/**
 * Asks the relay for JSON of this shape; again whenever `again` changes, while the last answer stays on the screen.
 * `schema` is the same object at every call.
 */
export function useRelay<T>(schema: z.ZodType<T>, path: string, again: unknown = null): Asked<T> {
  const { relay, token } = useIdentity();
  const [asked, setAsked] = useState<{ path: string; answer: Asked<T> }>({ path, answer: { state: "loading" } });
  useEffect(() => {
    const abort = new AbortController();
    const ask = async (): Promise<Asked<T>> => {
      try {
        const answer = await fetch(`${relay}${path}`, {
          headers: { authorization: `Bearer ${token}` },
          cache: "no-store",
          signal: abort.signal,
        });
        if (!answer.ok) return { state: "error", status: answer.status };
        const read = schema.safeParse(await answer.json());
        return read.success ? { state: "here", value: read.data } : { state: "error", status: UNREADABLE };
      } catch {
        return { state: "error", status: 0 };
      }
    };
    void ask().then((answer) => {
      if (abort.signal.aborted) return;
      // A lost connection does not take away what is on the screen; the board's own line says how old it is.
      setAsked((before) =>
        answer.state === "error" && answer.status === 0 && before.path === path && before.answer.state === "here"
          ? before
          : { path, answer },
      );
    });
    return () => abort.abort();
  }, [schema, relay, token, path, again]);
  return asked.path === path ? asked.answer : { state: "loading" };
}
