/** PORT. Ed25519 (RFC 8032). Keys and signatures are raw bytes: 32, 32 and 64 of them. */
export interface Crypto {
  generateKeyPair(): Promise<KeyPair>;
  sign(message: Uint8Array, secretKey: Uint8Array): Promise<Uint8Array>;
  /** MUST answer false, not throw, for malformed keys and signatures. */
  verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): Promise<boolean>;
}

export interface KeyPair {
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
}
