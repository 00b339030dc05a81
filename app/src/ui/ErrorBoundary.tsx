import { Component, type ReactNode } from "react";
import { Stopped } from "./Stopped.tsx";
import { useWords } from "./use-words.ts";

/** A screen that broke says so, instead of leaving a blank page; what was saved is not touched by it. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override render() {
    return this.state.broken ? <Broken /> : this.props.children;
  }
}

function Broken() {
  const { t } = useWords();
  return (
    <Stopped title={t("broken.title")} text={t("broken.text")}>
      <button type="button" className="button" onClick={() => location.assign("/")}>
        {t("broken.again")}
      </button>
    </Stopped>
  );
}
