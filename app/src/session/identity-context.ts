import type { Identity } from "@sampai/engine";
import { createContext, use } from "react";

export const IdentityContext = createContext<Identity | null>(null);

export function useIdentity(): Identity {
  const identity = use(IdentityContext);
  if (identity === null) throw new Error("this screen needs somebody who is enrolled");
  return identity;
}
