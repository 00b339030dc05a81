import { Link } from "react-router-dom";
import { useStoreNames } from "../../stores/store-names.ts";
import { useWords } from "../../ui/use-words.ts";

/** On a duplicate: which store its outlet goes on as. What was written here stays readable. */
export function MergedInto({ successor }: { successor: string }) {
  const { t } = useWords();
  const storeName = useStoreNames();
  return (
    <div className="card advice">
      <p>{t("store.merged")}</p>
      <Link className="button quiet" to={`/store/${encodeURIComponent(successor)}`}>
        {t("store.goOnAs", { name: storeName(successor) })}
      </Link>
    </div>
  );
}
