/** `wifi`: not metered (a cable or a desk counts as this). `mobile`: metered at home. `roaming`: metered abroad. */
export type NetworkKind = "wifi" | "mobile" | "roaming";

/** PORT. What kind of network the phone is on, as its platform says. */
export interface Network {
  /** MUST answer `wifi` where the platform cannot tell, so that work is never held back by not knowing. */
  kind(): NetworkKind;
  /** Called when the kind changed. The answer stops it. */
  onChange(listener: () => void): () => void;
}

/** A network that never changes: a desk, a server, a test. */
export function fixedNetwork(kind: NetworkKind): Network {
  return { kind: () => kind, onChange: () => () => undefined };
}
