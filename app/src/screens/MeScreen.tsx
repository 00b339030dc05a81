import type { Identity } from "@sampai/engine";
import { use, useEffect, useId, useState } from "react";
import { Link } from "react-router-dom";
import { APP } from "../app-version.ts";
import { chooseLanguage, languages, type Language } from "../i18n/index.ts";
import { usePack, EngineContext } from "../session/engine-context.tsx";
import { useIdentity } from "../session/identity-context.ts";
import { SessionContext } from "../session/session-context.ts";
import { Screen } from "../ui/Screen.tsx";
import { useWords } from "../ui/use-words.ts";

/** Who this phone works for, in which language, and whether the browser promised to keep the work. */
export function MeScreen() {
  const { t } = useWords();
  const identity = useIdentity();
  const engine = use(EngineContext);
  return (
    <Screen title={t("me.title")}>
      <section className="card" aria-label={t("me.title")}>
        <div className="stack">
          <p className="figure">{identity.name}</p>
          <p className="soft">
            {t(`role.${identity.role}`)} · {identity.rep}
          </p>
        </div>
        <LanguageChoice />
      </section>
      <Others />
      <section className="card" aria-label={t("me.device")}>
        <dl className="facts">
          <div>
            <dt>{t("me.device")}</dt>
            <dd>{identity.device}</dd>
          </div>
          <div>
            <dt>{t("me.relay")}</dt>
            <dd>{identity.relay}</dd>
          </div>
          <div>
            <dt>{t("me.version")}</dt>
            <dd>{APP}</dd>
          </div>
          {engine !== null && <PackNumber />}
        </dl>
        <StorageState />
      </section>
    </Screen>
  );
}

function PackNumber() {
  const { t } = useWords();
  const pack = usePack();
  return (
    <div>
      <dt>{t("me.pack")}</dt>
      <dd>{pack === null ? t("me.noPack") : String(pack.number)}</dd>
    </div>
  );
}

function LanguageChoice() {
  const { t, language } = useWords();
  const name = useId();
  return (
    <fieldset className="choices">
      <legend>{t("me.language")}</legend>
      {(Object.keys(languages) as Language[]).map((each) => (
        <label key={each} className="choice" lang={each}>
          <input type="radio" name={name} checked={language === each} onChange={() => void chooseLanguage(each)} />
          <span>{languages[each]}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Others() {
  const { t } = useWords();
  const session = use(SessionContext);
  const identity = useIdentity();
  const [others, setOthers] = useState<readonly Identity[]>([]);
  useEffect(() => {
    let open = true;
    void session?.identities.list().then((all) => {
      if (open) setOthers(all.filter(({ device }) => device !== identity.device));
    });
    return () => {
      open = false;
    };
  }, [session, identity]);
  return (
    <section className="card" aria-labelledby="others">
      <h2 id="others">{t("me.others")}</h2>
      {others.map((other) => (
        <div key={other.device} className="spread">
          <p>
            <span className="strong">{other.name}</span>{" "}
            <span className="soft">
              {t(`role.${other.role}`)} · {other.rep}
            </span>
          </p>
          <button type="button" className="button quiet" onClick={() => void session?.become(other)}>
            {t("me.change", { name: other.name })}
          </button>
        </div>
      ))}
      <p className="soft small">{t("me.changeHint")}</p>
      <Link className="button quiet" to="/enrol">
        {t("me.enrolAnother")}
      </Link>
    </section>
  );
}

function StorageState() {
  const { t } = useWords();
  const [kept, setKept] = useState<boolean | null>(null);
  useEffect(() => {
    let open = true;
    void navigator.storage?.persisted?.().then((persisted) => {
      if (open) setKept(persisted);
    });
    return () => {
      open = false;
    };
  }, []);
  if (kept === null) return null;
  return (
    <p className="soft">
      {t("me.storage")}: {kept ? t("me.storageKept") : t("me.storageBest")}
    </p>
  );
}
