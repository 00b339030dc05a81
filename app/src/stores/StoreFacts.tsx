import { ringgit, type Scalar } from "@sampai/engine";
import { Badge } from "../ui/Badge.tsx";
import { useWords } from "../ui/use-words.ts";

/** What a rep needs to know of a store before the door opens: where it is and how sure that is, credit, last visit. */
export function StoreFacts({ value }: { value: Readonly<Record<string, unknown>> }) {
  const { t, format } = useWords();
  const scalar = (field: string) => (value[field] ?? null) as Scalar;
  const address = addressLine([scalar("address"), scalar("town"), scalar("state")]);
  const uncertainty = scalar("uncertaintyMeters");
  const limit = scalar("creditLimitSen");
  const lastVisit = scalar("lastVisitAt");
  const source = scalar("coordinatesSource");
  return (
    <div className="stack">
      <p>{address}</p>
      {typeof scalar("lat") === "number" && typeof scalar("lon") === "number" ? (
        typeof uncertainty === "number" &&
        uncertainty > 0 && (
          <p className="stack">
            <span className="inline">
              <Badge icon="unknown" tone="waits">
                {t("store.approximate", { distance: format.distance(uncertainty) })}
              </Badge>
            </span>
            {typeof source === "string" && <span className="soft small">{t("store.source", { source })}</span>}
          </p>
        )
      ) : (
        <p>
          <Badge icon="unknown">{t("store.noPosition")}</Badge>
        </p>
      )}
      {scalar("creditHold") === true && (
        <p>
          <Badge icon="alert" tone="person">
            {t("store.creditHold")}
          </Badge>
        </p>
      )}
      <dl className="facts">
        <div>
          <dt>{t("store.creditLimit")}</dt>
          <dd>{typeof limit === "number" ? ringgit(limit) : t("common.none")}</dd>
        </div>
        <div>
          <dt>{t("store.lastVisit")}</dt>
          <dd>{typeof lastVisit === "string" ? format.time(lastVisit) : t("store.never")}</dd>
        </div>
      </dl>
    </div>
  );
}

/** Addresses often hold town and state already: each part is said once. */
function addressLine(parts: readonly Scalar[]): string {
  return parts.reduce<string>((line, part) => {
    if (typeof part !== "string" || line.toLowerCase().includes(part.toLowerCase())) return line;
    return line === "" ? part : `${line}, ${part}`;
  }, "");
}
