import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";
import type { PhotoPart } from "@sampai/engine";
import { dayIn, msFromUtc } from "@sampai/engine/core";
import { limits as wireLimits, problem, refusals, type Refusal, type RefusalCode } from "@sampai/engine/wire";
import { randomBytes } from "node:crypto";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { z } from "zod";
import { DiskFull } from "../database/writer.ts";
import type { Caller } from "../relay/part.ts";
import { removeUnfinished } from "./arrival.ts";
import type { UploadRow } from "./operations.ts";
import { createBodyGuard } from "./guarded-body.ts";
import type { PhotoRoom } from "./room.ts";

/** Uploads a device may begin in a minute. */
const BEGIN_PER_MINUTE = 600;

const metadataSchema = z.strictObject({
  photo: z.uuid(),
  part: z.enum(["preview", "original"]),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
const uploadId = /^[0-9a-f]{32}$/;

export interface Uploads {
  /** Answers one request at `/files/`, whose caller is authenticated. */
  handle(request: Request, caller: Caller): Promise<Response>;
  /** What a browser asks before it asks: says what is spoken here, and nothing else. */
  options(request: Request): Promise<Response>;
}

/** tus 1.0.0 by @tus/server; whose upload it is, whether it may begin and when it counts are decided here. */
export function createUploads(room: PhotoRoom): Uploads {
  const { db, writer, clock, limits, zone, uploads, arrival } = room;
  const find = db.prepare("select * from photo_upload where upload = ?");
  const callers = new WeakMap<Request, Caller>();
  const refused = new WeakMap<Request, Refusal>();
  const begunBy = new WeakMap<Request, string>();
  const atOnce = new Map<string, number>();
  const begins = new RateLimiterMemory({ points: BEGIN_PER_MINUTE, duration: 60 });
  const guardBody = createBodyGuard(clock, limits);

  /** Ends a request inside the tus server; `handle` then says why. */
  const refuse = (request: Request, refusal: Refusal): never => {
    refused.set(request, refusal);
    throw Object.assign(new Error(refusal.code), { status_code: refusals[refusal.code].status, body: refusal.code });
  };

  const store = new FileStore({ directory: uploads });
  // Expiry is ours: with the store's own, an upload that is whole in its first request would be looked for after its
  // end, when it is linked and gone from here. Every upload says its length.
  store.extensions = ["creation", "creation-with-upload", "termination"];
  const tus = new Server({
    path: "/files",
    datastore: store,
    relativeLocation: true,
    maxSize: wireLimits.photoBytes,
    // A phone that lost its link comes back while the old request still hangs: it takes over soon.
    lockDrainTimeout: 300,
    allowedOrigins: () => false,
    // The relay makes the names: nobody can write to one that they know or guess.
    namingFunction: () => randomBytes(16).toString("hex"),
    onUploadCreate: async (request, upload) => {
      const caller = callers.get(request) as Caller;
      const metadata = metadataSchema.safeParse(upload.metadata);
      if (!metadata.success) refuse(request, { code: "request.malformed", detail: "photo, part and sha256" });
      const { photo, part, sha256 } = metadata.data as z.infer<typeof metadataSchema>;
      // Not while an earlier try of this photo is being linked: its file must not go from under it.
      const begun = await arrival.alone(photo, async () => {
        const answer = await begin(caller, upload.id, { photo, part, sha256, size: upload.size ?? 0 });
        if (!("code" in answer)) for (const old of answer.replaced) await removeUnfinished(uploads, old);
        return answer;
      });
      if ("code" in begun) return refuse(request, begun);
      begunBy.set(request, upload.id);
      if (part === "preview") room.decoder.warm();
      return {};
    },
    onUploadFinish: async (request, upload) => {
      const refusal = await arrival.finish(upload.id);
      if (refusal !== null) refuse(request, refusal);
      return {};
    },
  });

  const begin = async (
    caller: Caller,
    upload: string,
    declared: { photo: string; part: PhotoPart; sha256: string; size: number },
  ) => {
    try {
      return await writer.run("photoBegin", {
        upload,
        ...declared,
        device: caller.device,
        day: dayIn(clock.wallMs(), zone),
        bytesPerDay: limits.bytesPerDay,
        uploadsPerDay: limits.uploadsPerDay,
      });
    } catch (error) {
      if (error instanceof DiskFull) return { code: "storage.full" } as const;
      throw error;
    }
  };

  /** What stands against a request before the tus server sees it, or its answer where that is known already. */
  const before = async (
    request: Request,
    caller: Caller,
    upload: string | null,
  ): Promise<Refusal | Response | null> => {
    if (request.method === "POST") {
      if (upload !== null) return { code: "request.unknown" };
      const may = await begins.consume(caller.device).catch(() => null);
      return may === null ? { code: "frame.rate" } : room.full();
    }
    const row = upload === null ? undefined : (find.get(upload) as UploadRow | undefined);
    if (row === undefined) return { code: "photo.unknown" };
    if (row.device !== caller.device) return { code: "photo.owner" };
    if (row.arrived === null && msFromUtc(row.created) < clock.wallMs() - limits.expiryMs)
      return { code: "photo.unknown", detail: "the upload expired" };
    if (request.method === "HEAD") return row.arrived === null ? await settled(row) : finishedHead(row);
    if (row.arrived !== null) return { code: "photo.exists" };
    return request.method === "PATCH" ? room.full() : null;
  };

  /** A complete upload whose end was cut off (by a crash, a full disk) gets it now: complete must mean verified. */
  const settled = async (row: UploadRow): Promise<Refusal | Response | null> => {
    const held = await tus.datastore.getUpload(row.upload).catch(() => null);
    if (held?.offset !== row.size) return null;
    const refusal = await arrival.finish(row.upload);
    return refusal ?? finishedHead(row);
  };

  /** Lets the tus server answer. An upload can be begun again before the files of its first try are made: those go here. */
  const answered = async (request: Request): Promise<Response> => {
    try {
      return await tus.handleWeb(request);
    } finally {
      const upload = begunBy.get(request);
      if (upload !== undefined && find.get(upload) === undefined) await removeUnfinished(uploads, upload);
    }
  };

  const handle = async (request: Request, caller: Caller): Promise<Response> => {
    const upload = uploadIn(request);
    const stood = await before(request, caller, upload);
    if (stood instanceof Response) return stood;
    if (stood !== null) return refusalResponse(stood);
    const guarded = guardBody(request);
    callers.set(guarded, caller);
    const response = await answered(guarded);
    const refusal = refused.get(guarded);
    if (refusal !== undefined) return refusalResponse(refusal);
    if (response.status >= 400) return asProblem(response, (await room.full()) !== null);
    if (request.method === "DELETE" && upload !== null) await writer.run("photoDropped", { upload, code: "given-up" });
    return response;
  };

  return {
    options: (request) => tus.handleWeb(request),
    handle: async (request, caller) => {
      const running = atOnce.get(caller.device) ?? 0;
      if (running >= limits.requestsAtOnce) return refusalResponse({ code: "relay.busy" });
      atOnce.set(caller.device, running + 1);
      try {
        return await handle(request, caller);
      } finally {
        const left = (atOnce.get(caller.device) ?? 1) - 1;
        if (left === 0) atOnce.delete(caller.device);
        else atOnce.set(caller.device, left);
      }
    },
  };
}

function uploadIn(request: Request): string | null {
  const last = /^\/files\/([^/]*)$/.exec(new URL(request.url).pathname)?.[1] ?? "";
  return uploadId.test(last) ? last : last === "" ? null : "";
}

const tusHeaders = { "tus-resumable": "1.0.0", "cache-control": "no-store" };

function finishedHead({ size }: UploadRow): Response {
  const offset = String(size);
  return new Response(null, {
    status: 200,
    headers: { ...tusHeaders, "upload-offset": offset, "upload-length": offset },
  });
}

/** RFC 9457, with the code in a header too: the answer to a HEAD has no body. */
function refusalResponse(refusal: Refusal, status: number = refusals[refusal.code].status): Response {
  const waits: Partial<Record<RefusalCode, string>> = {
    "photo.quota": "3600",
    "storage.full": "60",
    "frame.rate": "60",
  };
  const retry = waits[refusal.code];
  return new Response(JSON.stringify({ ...problem(refusal), status }), {
    status,
    headers: {
      ...tusHeaders,
      "content-type": "application/problem+json",
      "sampai-refusal": refusal.code,
      ...(retry === undefined ? {} : { "retry-after": retry }),
    },
  });
}

/** The tus server's own errors in the words of our table, with the status that tus clients act on. */
async function asProblem(response: Response, full: boolean): Promise<Response> {
  const detail = (await response.text()).trim().slice(0, 200);
  const { status } = response;
  if (status >= 500) return refusalResponse({ code: full ? "storage.full" : "relay.busy" });
  const codes: Readonly<Record<number, RefusalCode>> = {
    404: "photo.unknown",
    409: "photo.offset",
    410: "photo.unknown",
    413: "photo.size",
  };
  return refusalResponse({ code: codes[status] ?? "request.malformed", detail }, status);
}
