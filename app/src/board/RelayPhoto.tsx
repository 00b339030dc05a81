import { useEffect, useState } from "react";
import { useIdentity } from "../session/identity-context.ts";

/** A photo's preview from HQ: fetched with the token, because an image element can send none. */
export function RelayPhoto({ photo, alt }: { photo: string; alt: string }) {
  const { relay, token } = useIdentity();
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    let made: string | null = null;
    const load = async () => {
      const answer = await fetch(`${relay}/v1/photos/${encodeURIComponent(photo)}/preview`, {
        headers: { authorization: `Bearer ${token}` },
        signal: abort.signal,
      });
      if (!answer.ok) return;
      const picture = await answer.blob();
      if (abort.signal.aborted) return;
      made = URL.createObjectURL(picture);
      setUrl(made);
    };
    // Without an answer the empty frame stays, and its state stands beneath it.
    load().catch(() => undefined);
    return () => {
      abort.abort();
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [relay, token, photo]);
  return url === null ? <span className="no-picture" /> : <img src={url} alt={alt} />;
}
