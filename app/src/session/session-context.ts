import type { Identity } from "@sampai/engine";
import { createContext } from "react";
import type { Identities } from "./identities.ts";

/** What stays while people change: who this phone knows, and how it becomes somebody. */
export interface Session {
  readonly identities: Identities;
  /** Makes this person the current one, durably, and opens their work. */
  become(identity: Identity): Promise<void>;
}

export const SessionContext = createContext<Session | null>(null);
