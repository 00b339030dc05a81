import { bytesToHex, identitySchema, utf8ToBytes, type Identity, type Storage } from "@sampai/engine";

/** The people this phone or browser was enrolled for. Work that somebody left unsent stays in that device's own storage. */
export interface Identities {
  current(): Promise<Identity | null>;
  list(): Promise<readonly Identity[]>;
  /** Resolves when the identity is durable: the one-time code is used up by then. */
  keep(identity: Identity): Promise<void>;
  choose(device: string): Promise<void>;
}

const CURRENT = "current";
const key = (device: string) => `identity/${bytesToHex(utf8ToBytes(device)).slice(0, 150)}`;
const text = new TextDecoder();

export function createIdentities(storage: Storage): Identities {
  const read = (bytes: Uint8Array): Identity | null => {
    const parsed = identitySchema.safeParse(JSON.parse(text.decode(bytes)));
    return parsed.success ? parsed.data : null;
  };
  return {
    current: async () => {
      const device = await storage.get(CURRENT);
      if (device === undefined) return null;
      const bytes = await storage.get(key(text.decode(device)));
      return bytes === undefined ? null : read(bytes);
    },
    list: async () => {
      const entries = await storage.range("identity/");
      return entries.flatMap(({ value }) => read(value) ?? []);
    },
    keep: (identity) =>
      storage.commit([
        { key: key(identity.device), value: utf8ToBytes(JSON.stringify(identity)) },
        { key: CURRENT, value: utf8ToBytes(identity.device) },
      ]),
    choose: (device) => storage.commit([{ key: CURRENT, value: utf8ToBytes(device) }]),
  };
}
