/** PORT. MUST be unpredictable outside tests. */
export interface Random {
  bytes(length: number): Uint8Array;
}
