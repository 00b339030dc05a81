import type { Http } from "../src/sync/http.ts";

const NO_ANSWER = { status: 0, headers: {}, body: new Uint8Array() } as const;

/** Plain HTTP by the platform's `fetch`. `token` is null before the device is enrolled. */
export function createFetchHttp(options: { readonly relay: string; readonly token: string | null }): Http {
  return {
    request: async ({ method, path, headers, body, timeoutMs }) => {
      try {
        const answer = await fetch(new URL(path, options.relay), {
          method,
          headers: {
            ...headers,
            ...(options.token === null ? {} : { authorization: `Bearer ${options.token}` }),
          },
          ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
          // The relay never redirects: whoever does is a captive portal, and that is no answer.
          redirect: "error",
          signal: AbortSignal.timeout(timeoutMs),
        });
        return {
          status: answer.status,
          headers: Object.fromEntries(answer.headers),
          body: new Uint8Array(await answer.arrayBuffer()),
        };
      } catch {
        return NO_ANSWER;
      }
    },
  };
}
