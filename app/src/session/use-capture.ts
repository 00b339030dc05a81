import type { CaptureError, CaptureInput, CapturedFact, EventKindName, PhotoError } from "@sampai/engine";
import { useState } from "react";
import { useWords } from "../ui/use-words.ts";
import { useEngine } from "./engine-context.tsx";

export interface Capturing {
  readonly busy: boolean;
  /** Why the last try was not saved, in a sentence; null where it was. */
  readonly problem: string | null;
  /** Resolves with the fact once it is durable on this phone, or null where it is not: then the form stays as it is. */
  readonly capture: <K extends EventKindName>(input: CaptureInput<K>) => Promise<CapturedFact | null>;
  readonly tell: (problem: string | null) => void;
}

export function useCaptureSentence(): (error: CaptureError | PhotoError) => string {
  const { t } = useWords();
  return (error) => t(`capture.${error.code}`, { detail: error.detail });
}

/** Captures a fact from a screen: one at a time, told as saved only when it is. */
export function useCapture(): Capturing {
  const engine = useEngine();
  const sentence = useCaptureSentence();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  return {
    busy,
    problem,
    tell: setProblem,
    capture: async (input) => {
      setBusy(true);
      setProblem(null);
      try {
        const result = await engine.facts.capture(input);
        if (result.ok) return result.value;
        setProblem(sentence(result.error));
        return null;
      } finally {
        setBusy(false);
      }
    },
  };
}
