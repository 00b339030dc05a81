import { imageOutline } from "ionicons/icons";
import { Link } from "react-router-dom";
import { z } from "zod";
import { RelayPhoto } from "../../board/RelayPhoto.tsx";
import { useRelay } from "../../board/use-relay.ts";
import { Badge, type Tone } from "../../ui/Badge.tsx";
import { Empty } from "../../ui/Empty.tsx";
import { Loading } from "../../ui/Loading.tsx";
import { useWords } from "../../ui/use-words.ts";

const states = ["at-hq", "preview-at-hq", "owed", "lost", "refused", "dropped", "revoked", "expired"] as const;

const manifestSchema = z.object({
  captured: z.number(),
  atHq: z.number(),
  owed: z.number(),
  owedBytes: z.number(),
  lost: z.number(),
  lastHeard: z.string().nullable(),
  photos: z.array(
    z.object({
      id: z.string(),
      store: z.string().nullable(),
      purpose: z.enum(["shelf", "storefront", "competitor", "damage", "other"]),
      at: z.string(),
      state: z.enum(states),
      preview: z.boolean(),
    }),
  ),
});

const look: Readonly<Record<(typeof states)[number], { icon: "done" | "photo" | "waiting" | "alert"; tone: Tone }>> = {
  "at-hq": { icon: "done", tone: "done" },
  "preview-at-hq": { icon: "photo", tone: "now" },
  owed: { icon: "waiting", tone: "waits" },
  lost: { icon: "alert", tone: "person" },
  refused: { icon: "alert", tone: "person" },
  dropped: { icon: "alert", tone: "person" },
  revoked: { icon: "alert", tone: "person" },
  expired: { icon: "done", tone: "plain" },
};

/** A rep's newest photos: which are here, which are owed, and which will never come. */
export function RepPhotos({ rep, again }: { rep: string; again: unknown }) {
  const { t, format } = useWords();
  const asked = useRelay(manifestSchema, `/v1/people/${encodeURIComponent(rep)}/photos`, again);
  return (
    <section className="card" aria-labelledby="rep-photos">
      <h2 id="rep-photos">{t("visit.photos")}</h2>
      {asked.state === "loading" && <Loading rows={1} />}
      {asked.state === "error" && <p className="soft">{t("board.error", { status: asked.status })}</p>}
      {asked.state === "here" && asked.value.photos.length === 0 && (
        <Empty icon={imageOutline}>{t("repView.noPhotos")}</Empty>
      )}
      {asked.state === "here" && asked.value.photos.length > 0 && (
        <>
          <p className="soft">
            {t("visit.photosAtHq", { done: asked.value.atHq, total: asked.value.captured })}
            {asked.value.owed > 0 &&
              ` · ${t("visit.photosOwed", { count: asked.value.owed, size: format.size(asked.value.owedBytes) })}`}
            {asked.value.lost > 0 && ` · ${t("repView.lost", { count: asked.value.lost })}`}
            {asked.value.lastHeard !== null &&
              ` · ${t("board.silentSince", { time: format.time(asked.value.lastHeard) })}`}
          </p>
          <div className="photos">
            {asked.value.photos.map((photo) => (
              <figure key={photo.id}>
                {photo.preview ? (
                  <RelayPhoto
                    photo={photo.id}
                    alt={t("repView.photoAlt", {
                      purpose: t(`visit.purposes.${photo.purpose}`),
                      store: photo.store ?? "–",
                    })}
                  />
                ) : (
                  <span className="no-picture" />
                )}
                <figcaption className="stack">
                  <Badge {...look[photo.state]}>{t(`repView.photo.${photo.state}`)}</Badge>
                  <Link className="small" to={`/orders/${photo.id}`}>
                    {photo.store ?? "–"} · {format.time(photo.at)}
                  </Link>
                </figcaption>
              </figure>
            ))}
          </div>
        </>
      )}
    </section>
  );
}
