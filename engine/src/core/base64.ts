/** Base64 with padding, RFC 4648 section 4, for a few hundred bytes at the most. */
export function bytesToBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** Null where the text is not the one way to write its bytes. */
export function base64ToBytes(text: string): Uint8Array | null {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return null;
  }
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return btoa(binary) === text ? bytes : null;
}
