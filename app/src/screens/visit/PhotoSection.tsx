import type { OwedPhoto, PhotoInput } from "@sampai/engine";
import { IonIcon } from "@ionic/react";
import { cameraOutline } from "ionicons/icons";
import { useEffect, useId, useRef, useState } from "react";
import { hasNativeCamera, takePicture } from "../../device/camera.ts";
import { takePlace } from "../../device/location.ts";
import { useEngine, usePhotos } from "../../session/engine-context.tsx";
import { useCaptureSentence } from "../../session/use-capture.ts";
import { useWorkingDay } from "../../session/use-working-day.ts";
import { Problem } from "../../ui/Problem.tsx";
import { StateBadge } from "../../ui/StateBadge.tsx";
import { usePhotoSentence } from "../../ui/use-photo-sentence.ts";
import { useWords } from "../../ui/use-words.ts";
import { isOwed } from "../../visits/photo-debt.ts";
import { bodyOf, type Visit } from "../../visits/visit-history.ts";

const purposes = ["shelf", "storefront", "competitor", "damage", "other"] as const;

/** Takes photos and shows where each of them is on its way. */
export function PhotoSection({ visit }: { visit: Visit }) {
  const { t, format } = useWords();
  const photos = usePhotos().filter((photo) => photo.visit === visit.id);
  const owed = photos.filter(isOwed);
  const owedBytes = owed.reduce((sum, photo) => sum + photo.bytes - photo.sentBytes, 0);
  return (
    <section className="card" aria-labelledby="photos">
      <div className="spread">
        <h2 id="photos">{t("visit.photos")}</h2>
        {photos.length > 0 && (
          <span className="soft">
            {t("visit.photosAtHq", {
              done: photos.filter((photo) => photo.state === "at-hq").length,
              total: photos.length,
            })}
            {owed.length > 0 && ` · ${t("visit.photosOwed", { count: owed.length, size: format.size(owedBytes) })}`}
          </span>
        )}
      </div>
      {photos.length > 0 && (
        <div className="photos">
          {photos.map((photo, index) => (
            <Photo key={photo.id} photo={photo} number={index + 1} visit={visit} />
          ))}
        </div>
      )}
      {visit.checkedOutAt === null && <TakePhoto visit={visit} />}
    </section>
  );
}

function Photo({ photo, number, visit }: { photo: OwedPhoto; number: number; visit: Visit }) {
  const { t } = useWords();
  const sentence = usePhotoSentence();
  const why = sentence(photo);
  const url = usePreview(photo.id);
  const fact = visit.facts.find((each) => each.envelope.id === photo.id);
  const purpose = fact === undefined ? "other" : bodyOf(fact, "photoCaptured").purpose;
  return (
    <figure>
      {url === null ? (
        <span className="no-picture" />
      ) : (
        <img src={url} alt={t("visit.photoAlt", { number, purpose: t(`visit.purposes.${purpose}`) })} />
      )}
      <figcaption className="stack">
        <span className="small">{t(`visit.purposes.${purpose}`)}</span>
        <StateBadge state={photo.state} />
        {why !== null && <span className="soft small">{why}</span>}
      </figcaption>
    </figure>
  );
}

/** The preview as an address that an image can show; given back when the picture leaves the screen. */
function usePreview(id: string): string | null {
  const engine = useEngine();
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    let made: string | null = null;
    let open = true;
    void engine.photos.preview(id).then((bytes) => {
      if (!open || bytes === undefined) return;
      made = URL.createObjectURL(new Blob([bytes.slice()], { type: "image/jpeg" }));
      setUrl(made);
    });
    return () => {
      open = false;
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [engine, id]);
  return url;
}

function TakePhoto({ visit }: { visit: Visit }) {
  const { t } = useWords();
  const engine = useEngine();
  const day = useWorkingDay();
  const sentence = useCaptureSentence();
  const [purpose, setPurpose] = useState<PhotoInput["purpose"]>("shelf");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const select = useId();

  const keep = async (bytes: Uint8Array) => {
    const place = await takePlace(day.working);
    const result = await engine.photos.capture({ bytes, visit: visit.id, store: visit.store, purpose, place });
    setProblem(result.ok ? null : sentence(result.error));
  };
  const take = async (read: () => Promise<Uint8Array | null>) => {
    setBusy(true);
    try {
      const bytes = await read();
      if (bytes !== null) await keep(bytes);
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <Problem text={problem} />
      <div className="field">
        <label htmlFor={select}>{t("visit.purpose")}</label>
        <select
          id={select}
          className="input"
          value={purpose}
          onChange={({ target }) => setPurpose(target.value as PhotoInput["purpose"])}
        >
          {purposes.map((each) => (
            <option key={each} value={each}>
              {t(`visit.purposes.${each}`)}
            </option>
          ))}
        </select>
      </div>
      <button
        type="button"
        className="button quiet"
        disabled={busy}
        onClick={() => (hasNativeCamera ? void take(takePicture) : input.current?.click())}
      >
        <IonIcon icon={cameraOutline} aria-hidden="true" />
        {busy ? t("visit.photoBusy") : t("visit.takePhoto")}
      </button>
      <input
        ref={input}
        type="file"
        accept="image/*"
        capture="environment"
        className="visually-hidden"
        tabIndex={-1}
        aria-hidden="true"
        data-photo-input=""
        onChange={({ target }) => {
          const file = target.files?.[0];
          target.value = "";
          if (file !== undefined) void take(async () => new Uint8Array(await file.arrayBuffer()));
        }}
      />
    </>
  );
}
