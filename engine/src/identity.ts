import { z } from "zod";
import { roleSchema } from "./wire/messages.ts";

/** Who this device is, as its enrolment made it. Kept on the device; the secret key and token never leave it. */
export const identitySchema = z.strictObject({
  workspace: z.string(),
  device: z.string(),
  /** The person's code, such as `R012`, and name. */
  rep: z.string(),
  name: z.string(),
  role: roleSchema,
  /** The workspace's IANA zone, in which days are cut. */
  zone: z.string(),
  /** Base address of the relay, `http(s)://host[:port]`. */
  relay: z.string(),
  token: z.string(),
  /** Hexadecimal Ed25519 keys: this device's pair, and the workspace's root key. */
  secretKey: z.string(),
  publicKey: z.string(),
  rootKey: z.string(),
  certificate: z.string(),
  certificateSignature: z.string(),
});
export type Identity = z.infer<typeof identitySchema>;
