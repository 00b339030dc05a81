import { useState } from "react";
import { Link, useNavigate, useParams, useSearchParams } from "react-router-dom";
import { storefrontOutline } from "ionicons/icons";
import { takePlace } from "../device/location.ts";
import { useDocument, useFacts } from "../session/engine-context.tsx";
import { useCapture } from "../session/use-capture.ts";
import { useForm } from "../session/use-form.ts";
import { useWorkingDay } from "../session/use-working-day.ts";
import { StoreFacts } from "../stores/StoreFacts.tsx";
import { useStoreNames } from "../stores/store-names.ts";
import { Empty } from "../ui/Empty.tsx";
import { Loading } from "../ui/Loading.tsx";
import { Problem } from "../ui/Problem.tsx";
import { Screen } from "../ui/Screen.tsx";
import { useWords } from "../ui/use-words.ts";
import { openVisit, visitsOf } from "../visits/visit-history.ts";

const nothing = () => null;

/** In front of the store: what is known of it, and the check-in that starts the visit. */
export function CheckInScreen() {
  const { t } = useWords();
  const navigate = useNavigate();
  const store = useParams()["store"] ?? "";
  const plan = useSearchParams()[0].get("plan");
  const loaded = useDocument("store", store);
  const day = useWorkingDay();
  const storeName = useStoreNames();
  const elsewhere = openVisit(visitsOf(useFacts()));
  const form = useForm(`check-in/${store}`, nothing);
  const { capture, busy, problem } = useCapture();
  const [locating, setLocating] = useState(false);

  const checkIn = async () => {
    if (form.id === null) return;
    setLocating(true);
    const place = await takePlace(day.working);
    setLocating(false);
    const fact = await capture({
      kind: "checkIn",
      id: form.id,
      store,
      place,
      body: { plan },
      ...(loaded.state === "here" ? { storeHeads: loaded.value.heads } : {}),
    });
    if (fact === null) return;
    await form.done();
    navigate(`/visit/${fact.envelope.id}`, { replace: true });
  };

  return (
    <Screen
      title={t("checkIn.title")}
      back="/today"
      foot={
        <button
          type="button"
          className="button wide"
          disabled={form.id === null || busy || locating || elsewhere !== null}
          onClick={() => void checkIn()}
        >
          {busy || locating ? t("checkIn.locating") : t("checkIn.button")}
        </button>
      }
    >
      <Problem text={problem} />
      <section className="card" aria-labelledby="store-name">
        <div className="stack">
          <h2 id="store-name">{storeName(store)}</h2>
          <p className="soft">{store}</p>
        </div>
        {loaded.state === "loading" && <Loading rows={1} />}
        {loaded.state === "error" && <Empty icon={storefrontOutline}>{t("store.notHere")}</Empty>}
        {loaded.state === "here" && <StoreFacts value={loaded.value.value} />}
        <Link className="button quiet" to={`/store/${encodeURIComponent(store)}`}>
          {t("store.details")}
        </Link>
      </section>
      {!day.working && (
        <section className="card advice">
          <p>{t("checkIn.notStarted")}</p>
          <Link className="button quiet" to="/today">
            {t("checkIn.startFirst")}
          </Link>
        </section>
      )}
      {elsewhere !== null && (
        <section className="card advice">
          <p>{t("checkIn.elsewhere", { store: storeName(elsewhere.store) })}</p>
          <Link className="button quiet" to={`/visit/${elsewhere.id}`}>
            {t("today.goOn")}
          </Link>
        </section>
      )}
    </Screen>
  );
}
