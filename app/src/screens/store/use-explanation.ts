import type { DocumentView, FieldExplanation } from "@sampai/engine";
import { useEffect, useState } from "react";
import { useEngine } from "../../session/engine-context.tsx";
import type { FieldPlace } from "./field-place.ts";

/** How a field came to its value; read again whenever the document changed. Null until it is known. */
export function useExplanation(view: DocumentView, { field, row }: FieldPlace): FieldExplanation | null {
  const engine = useEngine();
  const [explanation, setExplanation] = useState<FieldExplanation | null>(null);
  const heads = view.heads.join();
  useEffect(() => {
    let open = true;
    void engine.documents.explain(view.kind, view.key, field, row ?? undefined).then((answer) => {
      if (open && answer.ok) setExplanation(answer.value);
    });
    return () => {
      open = false;
    };
  }, [engine, view.kind, view.key, field, row, heads]);
  return explanation;
}
