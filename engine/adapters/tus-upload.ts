import { DetailedError, Upload, type HttpRequest, type HttpResponse } from "tus-js-client";
import type { PhotoChannel, PhotoTransfer, PhotoTransferEnd, PhotoUpload } from "../src/photos/channel.ts";
import { refusals, type Refusal, type RefusalCode } from "../src/wire/index.ts";

export interface TusChannelOptions {
  /** Base address of the relay, `http(s)://host[:port]`; asked for each upload, so that it may change. */
  readonly relay: () => string;
  /** The device's bearer token; asked for each upload, so that it may change. */
  readonly token: () => string;
}

/** Uploads by tus 1.0.0 with tus-js-client, in browsers, WebViews and Node. When to go on is left to the lane. */
export function createTusChannel(options: TusChannelOptions): PhotoChannel {
  return { send: (photo) => startTransfer(options, photo) };
}

/** A request that is on the link. */
interface OnLink {
  readonly headBytes: number;
  /** Bytes of the body handed to the network, as far as the platform told. */
  sentBytes: number;
  readonly bodyBytes: number;
  readonly release: () => void;
}

function startTransfer({ relay, token }: TusChannelOptions, photo: PhotoUpload): PhotoTransfer {
  const { promise: ended, resolve } = Promise.withResolvers<PhotoTransferEnd>();
  const base = relay();
  let stopped = false;
  let onLink: OnLink | null = null;
  let piece = { start: 0, bytes: 0 };

  const leaveLink = (sentBodyBytes: number, answerBytes: number) => {
    if (onLink === null) return;
    const { headBytes, release } = onLink;
    onLink = null;
    photo.spent(headBytes + sentBodyBytes, answerBytes);
    release();
  };
  const end = (value: PhotoTransferEnd) => {
    leaveLink(onLink?.sentBytes ?? 0, 0);
    resolve(value);
  };
  const stop = () => {
    if (stopped) return;
    stopped = true;
    void upload.abort();
    end({ end: "stopped" });
  };
  const source = {
    size: photo.bytes.length,
    slice: (start: number, sliceEnd: number) => {
      const value = photo.bytes.subarray(start, Math.min(sliceEnd, photo.bytes.length));
      piece = { start, bytes: value.length };
      // The client reads a body's length from `size`, as blobs have it.
      return Promise.resolve({
        value: Object.assign(value, { size: value.length }),
        done: sliceEnd >= photo.bytes.length,
      });
    },
    close: () => undefined,
  };
  // The bytes come from `source`, the same way on every platform; the client only asks that there be a file.
  const upload: Upload = new Upload(new Blob([]), {
    // With an endpoint the client would answer any failed resume by starting anew; that is for the lane to decide.
    endpoint: photo.path === null ? `${base}/files/` : null,
    uploadUrl: photo.path === null ? null : `${base}${photo.path}`,
    headers: { Authorization: `Bearer ${token()}` },
    metadata: { ...photo.metadata },
    chunkSize: photo.pieceBytes(),
    uploadDataDuringCreation: true,
    retryDelays: null,
    storeFingerprintForResuming: false,
    fingerprint: () => Promise.resolve(""),
    fileReader: { openFile: () => Promise.resolve(source) },
    onBeforeRequest: async (request) => {
      const release = await photo.enter();
      if (stopped || release === null) {
        release?.();
        stop();
        throw new Error("stopped before the request was sent");
      }
      const bodyBytes = request.getMethod() === "HEAD" ? 0 : piece.bytes;
      onLink = { headBytes: requestHeadBytes(request, bodyBytes), sentBytes: 0, bodyBytes, release };
    },
    onProgress: (sentBytes) => {
      if (onLink !== null) onLink.sentBytes = Math.min(onLink.bodyBytes, Math.max(0, sentBytes - piece.start));
    },
    onAfterResponse: (request, response) => {
      leaveLink(onLink?.bodyBytes ?? 0, responseBytes(response));
      if (stopped || request.getMethod() !== "HEAD" || response.getStatus() !== 200) return;
      const offset = Number.parseInt(response.getHeader("Upload-Offset") ?? "", 10);
      if (Number.isSafeInteger(offset)) photo.resumed(offset);
    },
    onUploadUrlAvailable: () => {
      if (photo.path === null && upload.url !== null && !stopped) photo.created(new URL(upload.url, base).pathname);
    },
    onChunkComplete: (_bytes, offset) => {
      photo.acknowledged(offset);
      upload.options.chunkSize = photo.pieceBytes();
    },
    onSuccess: () => end({ end: "complete" }),
    onError: (error) => end(endOf(error)),
  });
  upload.start();
  return { ended, stop };
}

/** What an error of the client means. Anything that is not clearly the relay's own word counts as no answer. */
function endOf(error: Error): PhotoTransferEnd {
  if (!(error instanceof DetailedError) || error.originalResponse === null) return { end: "lost" };
  const { originalRequest: request, originalResponse: response } = error;
  const status = response.getStatus();
  const refusal = refusalOf(response);
  // A captive portal answers too, but neither with the protocol's header nor with a code of ours.
  if (status < 400 || (refusal === null && response.getHeader("Tus-Resumable") === undefined)) return { end: "lost" };
  const resuming = request.getMethod() !== "POST";
  if (resuming && (status === 404 || status === 410)) return { end: "gone" };
  if (refusal === null) return { end: "lost" };
  const seconds = Number.parseInt(response.getHeader("Retry-After") ?? "", 10);
  return { end: "refused", refusal, retryAfterMs: Number.isSafeInteger(seconds) ? seconds * 1_000 : null };
}

/** The code stands in the problem's body, and in a header too, because the answer to a HEAD has no body. */
function refusalOf(response: HttpResponse): Refusal | null {
  const known = (code: unknown): code is RefusalCode => typeof code === "string" && code in refusals;
  const header = response.getHeader("Sampai-Refusal");
  if (known(header)) return { code: header };
  try {
    const { code, detail } = JSON.parse(response.getBody()) as { code?: unknown; detail?: unknown };
    if (!known(code)) return null;
    return typeof detail === "string" ? { code, detail: detail.slice(0, 200) } : { code };
  } catch {
    return null;
  }
}

/** Bytes of a request's head. Exact where nothing but the client adds headers (Node), a little low in browsers. */
function requestHeadBytes(request: HttpRequest, bodyBytes: number): number {
  const { host, pathname } = new URL(request.getURL());
  const named = ["Tus-Resumable", "Authorization", "Upload-Length", "Upload-Metadata", "Upload-Offset", "Content-Type"];
  const lines = named.map((name) => headerBytes(name, request.getHeader(name)));
  return (
    `${request.getMethod()} ${pathname} HTTP/1.1\r\n`.length +
    lines.reduce((sum, bytes) => sum + bytes, 0) +
    headerBytes("Host", host) +
    headerBytes("Connection", "keep-alive") +
    (bodyBytes > 0 ? headerBytes("Content-Length", String(bodyBytes)) : 0) +
    2
  );
}

const headerBytes = (name: string, value: string | undefined) =>
  value === undefined ? 0 : name.length + value.length + 4;

function responseBytes(response: HttpResponse): number {
  const under = response.getUnderlyingObject() as {
    rawHeaders?: readonly string[];
    getAllResponseHeaders?: () => string;
  } | null;
  const head =
    under?.rawHeaders?.reduce((sum, text) => sum + text.length + 2, 0) ?? under?.getAllResponseHeaders?.().length ?? 0;
  return "HTTP/1.1 204 No Content\r\n\r\n".length + head + (response.getBody() ?? "").length;
}
