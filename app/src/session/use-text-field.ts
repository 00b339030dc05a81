import type { DocumentError, DocumentKind, DocumentView } from "@sampai/engine";
import { useEffect, useRef, useState } from "react";
import { moveEdit, textEdit } from "../visits/text-edit.ts";
import { useDocument, useEngine } from "./engine-context.tsx";

export interface TextField {
  readonly text: string;
  readonly state: "loading" | "saved" | "saving" | "unsaved";
  readonly error: DocumentError | null;
  readonly change: (text: string) => void;
  /** Saves what was typed without waiting for a pause. */
  readonly flush: () => void;
}

const PAUSE_MS = 500;

/**
 * A collaborative text of a document: saved as small edits when the person pauses, while other people's words come in.
 * `missing` makes the document where it is not here yet, and answers whether it could.
 */
export function useTextField(kind: DocumentKind, key: string, field: string, missing?: () => Promise<void>): TextField {
  const engine = useEngine();
  const loaded = useDocument(kind, key);
  const stored = loaded.state === "here" ? textIn(loaded.value, field) : "";
  const [typed, setTyped] = useState<string | null>(null);
  const [error, setError] = useState<DocumentError | null>(null);
  const [saving, setSaving] = useState(false);
  /** What the text was when the person began to type: edits are made against it. */
  const base = useRef<string>("");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef<string | null>(null);

  const save = async () => {
    clearTimeout(timer.current);
    const text = latest.current;
    if (text === null) return;
    const edit = textEdit(field, base.current, text);
    if (edit === null) {
      latest.current = null;
      setTyped(null);
      return;
    }
    setSaving(true);
    if (loaded.state === "error" && missing !== undefined) await missing();
    const now = await engine.documents.view(kind, key);
    const moved = now.ok ? moveEdit(edit, base.current, textIn(now.value, field)) : edit;
    const result = await engine.documents.edit(kind, key, [moved]);
    setSaving(false);
    if (!result.ok) {
      setError(result.error);
      return;
    }
    setError(null);
    base.current = textIn(result.value, field);
    if (latest.current === text) {
      latest.current = null;
      setTyped(null);
    } else {
      // More was typed meanwhile: it counts from what this phone's text was, not from what others wrote.
      base.current = text;
      timer.current = setTimeout(() => void current.current(), PAUSE_MS);
    }
  };
  const current = useRef(save);
  current.current = save;
  // Leaving the screen saves what was typed last.
  useEffect(() => () => void current.current(), []);

  return {
    text: typed ?? stored,
    error,
    state: loaded.state === "loading" ? "loading" : saving ? "saving" : typed === null ? "saved" : "unsaved",
    change: (text) => {
      if (latest.current === null) base.current = stored;
      latest.current = text;
      setTyped(text);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => void current.current(), PAUSE_MS);
    },
    flush: () => void current.current(),
  };
}

function textIn(view: DocumentView, field: string): string {
  const text = view.value[field];
  return typeof text === "string" ? text : "";
}
