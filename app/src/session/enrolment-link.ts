/** What an enrolment link says: which relay, and the one-time code. */
export interface EnrolmentLink {
  /** Base address of the relay, `http(s)://host[:port]`. */
  readonly relay: string;
  readonly code: string;
}

/**
 * Reads `https://relay/enrol#CODE`, as it stands in the address bar, or as somebody pasted it. A bare code is taken
 * for the relay that served this page; in an app that no relay served (`served` null) the whole link is needed.
 */
export function readEnrolmentLink(text: string, served: string | null): EnrolmentLink | null {
  const trimmed = text.trim();
  if (/^[A-Za-z0-9_-]{6,200}$/.test(trimmed)) return served === null ? null : { relay: served, code: trimmed };
  let url: URL;
  try {
    url = new URL(trimmed);
  } catch {
    return null;
  }
  const code = decodeURIComponent(url.hash.slice(1));
  if (!/^https?:$/.test(url.protocol) || url.pathname !== "/enrol" || code === "") return null;
  return { relay: url.origin, code };
}
