import type { Identity } from "@sampai/engine";
import { IonContent, IonPage } from "@ionic/react";
import { use, useEffect, useId, useState, type SubmitEvent } from "react";
import { useLocation, useNavigate } from "react-router-dom";
import { servedBy } from "../device/platform.ts";
import { enrol } from "../session/enrolment.ts";
import { readEnrolmentLink } from "../session/enrolment-link.ts";
import { IdentityContext } from "../session/identity-context.ts";
import { SessionContext } from "../session/session-context.ts";
import { Problem } from "../ui/Problem.tsx";
import { useWords } from "../ui/use-words.ts";

/** Joining: the one-time link becomes an identity, and the person sees whose before anything starts. */
export function EnrolScreen() {
  const { t } = useWords();
  const navigate = useNavigate();
  const session = use(SessionContext);
  const other = use(IdentityContext);
  const { hash } = useLocation();
  const fromAddress = hash.length > 1 ? `${location.origin}/enrol${hash}` : "";
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [joined, setJoined] = useState<Identity | null>(null);
  const id = useId();
  useEffect(() => {
    document.title = `${t("enrol.title")} · Sampai`;
  }, [t]);

  const join = async (event: SubmitEvent) => {
    event.preventDefault();
    const link = readEnrolmentLink(fromAddress === "" ? text : fromAddress, servedBy);
    if (link === null) {
      setProblem(t("enrol.errors.link"));
      return;
    }
    setBusy(true);
    setProblem(null);
    const result = await enrol(link);
    setBusy(false);
    if (!result.ok) {
      const { error } = result;
      setProblem(t(`enrol.errors.${error.error}`, { code: error.error === "relay" ? error.code : "" }));
      return;
    }
    try {
      // The code is used up: the identity is kept before anybody looks at it.
      await session?.identities.keep(result.value);
    } catch {
      setProblem(t("enrol.errors.storage"));
      return;
    }
    // The code leaves the address bar and the history: it is worth nothing now, and it is nobody's business.
    window.history.replaceState(null, "", "/enrol");
    setJoined(result.value);
  };

  return (
    <IonPage>
      <IonContent>
        <div className="welcome">
          <div className="brand">
            <img src="/icon.svg" alt="" />
            <p>
              <strong>{t("app.name")}</strong>
              <span className="soft">{t("app.tagline")}</span>
            </p>
          </div>
          <h1 className="visually-hidden">{t("enrol.title")}</h1>
          <Problem text={problem} />
          {joined === null ? (
            <form className="card" onSubmit={(event) => void join(event)}>
              <h2>{t("enrol.title")}</h2>
              <p className="soft">{fromAddress === "" ? t("enrol.intro") : t("enrol.found")}</p>
              {fromAddress === "" && (
                <div className="field">
                  <label htmlFor={id}>{t("enrol.link")}</label>
                  <input
                    id={id}
                    className="input"
                    autoComplete="off"
                    autoCapitalize="none"
                    spellCheck={false}
                    value={text}
                    aria-describedby={`${id}-help`}
                    onChange={({ target }) => setText(target.value)}
                  />
                  <p id={`${id}-help`} className="help">
                    {t("enrol.linkHelp")}
                  </p>
                </div>
              )}
              {other !== null && <p className="soft">{t("enrol.other", { name: other.name })}</p>}
              <button type="submit" className="button wide" disabled={busy}>
                {busy ? t("enrol.joining") : t("enrol.join")}
              </button>
            </form>
          ) : (
            <section className="card" role="status">
              <p className="figure">{t("enrol.become", { name: joined.name })}</p>
              <p className="strong">{t("enrol.as", { role: t(`role.${joined.role}`), code: joined.rep })}</p>
              <p className="soft small">{t("enrol.device", { device: joined.device })}</p>
              <button
                type="button"
                className="button wide"
                onClick={() => void session?.become(joined).then(() => navigate("/", { replace: true }))}
              >
                {t("enrol.start")}
              </button>
            </section>
          )}
        </div>
      </IonContent>
    </IonPage>
  );
}
