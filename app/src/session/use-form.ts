import { createContext, use, useCallback, useEffect, useState } from "react";
import { useEngine } from "./engine-context.tsx";
import type { SavedForms } from "./saved-forms.ts";

export const SavedFormsContext = createContext<SavedForms | null>(null);

export interface OpenForm<T> {
  /** The offline id that this form's fact will have; null until it is durable. A form without it cannot be sent. */
  readonly id: string | null;
  readonly content: T;
  readonly change: (content: T) => void;
  /** After the fact is durable: the form is empty the next time it opens. */
  readonly done: () => Promise<void>;
}

/**
 * A form that survives: its offline id is minted and durable before anything is filled in, so that it can never become
 * two facts, and its content is kept at every change. `read` makes the content of whatever was kept, or of nothing.
 */
export function useForm<T>(form: string, read: (kept: unknown) => T): OpenForm<T> {
  const engine = useEngine();
  const forms = use(SavedFormsContext);
  const [id, setId] = useState<string | null>(null);
  const [content, setContent] = useState<T>(() => read(undefined));

  useEffect(() => {
    let open = true;
    void engine.facts.draft(form).then((minted) => {
      if (open) setId(minted);
    });
    void forms?.read(form).then((kept) => {
      if (open && kept !== undefined) setContent(read(kept));
    });
    return () => {
      open = false;
    };
    // `read` is pure and belongs to the form.
  }, [engine, forms, form]);

  const change = useCallback(
    (next: T) => {
      setContent(next);
      // A phone that cannot keep the draft still lets the rep finish; the capture itself says when storage fails.
      void forms?.save(form, next).catch(() => undefined);
    },
    [forms, form],
  );
  const done = useCallback(async () => {
    await forms?.forget(form).catch(() => undefined);
  }, [forms, form]);
  return { id, content, change, done };
}
