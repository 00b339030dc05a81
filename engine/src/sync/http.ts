/** PORT. Plain HTTP to the relay, for what is large and can be cached: reference packs, photos, boards. */
export interface Http {
  /** `path` starts with `/` and is relative to the relay. The adapter adds the device's token. MUST NOT throw. */
  request(request: HttpRequest): Promise<HttpAnswer>;
}

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Given up after this many milliseconds without an answer. */
  readonly timeoutMs: number;
}

/** `status` 0 says that no answer came: no network, a time-out, a broken connection. */
export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}
