import type { Caller } from "../relay/part.ts";
import type { Route } from "../route.ts";
import type { Refusal } from "@sampai/engine/wire";
import { z } from "zod";
import { createGallery } from "./gallery.ts";
import { createManifests } from "./manifest.ts";
import { mayRead } from "./may-read.ts";
import type { PhotoRoom } from "./room.ts";
import { createUploads } from "./uploads.ts";

const idSchema = z.uuid();

/** Every endpoint of photos. */
export function photoRoutes(room: PhotoRoom): readonly Route[] {
  const uploads = createUploads(room);
  const gallery = createGallery(room);
  const manifests = createManifests(room);
  const maySee = mayRead(room.db);

  const upload = (method: Route["method"], path: string, does: string): Route => ({
    method,
    path,
    does,
    access: "device",
    bodyBytes: null,
    handle: ({ req }, caller) => uploads.handle(req.raw, caller as Caller),
  });
  const photo = (path: string, part: "original" | "preview", does: string): Route => ({
    path,
    does,
    method: "GET",
    access: "device",
    handle: ({ req }, caller) => {
      const id = idSchema.safeParse(req.param("id"));
      const known = req.header("if-none-match");
      return id.success ? gallery.show(id.data, part, caller as Caller, known) : { code: "photo.unknown" };
    },
  });
  const preflight = (path: string): Route => ({
    path,
    method: "OPTIONS",
    access: "public",
    does: "Says which version and extensions of tus are spoken.",
    handle: ({ req }) => uploads.options(req.raw),
  });

  return [
    preflight("/files"),
    preflight("/files/:upload"),
    upload("POST", "/files", "Begins an upload (tus 1.0.0) with the metadata photo, part and sha256."),
    upload("POST", "/files/", "The same."),
    // A HEAD reaches the row of its GET.
    upload("GET", "/files/:upload", "HEAD: how far an upload has come. Nothing can be read here."),
    upload("PATCH", "/files/:upload", "Adds a piece; with the last one the photo is verified and linked."),
    upload("DELETE", "/files/:upload", "Gives up an unfinished upload."),
    photo("/v1/photos/:id", "original", "A photo as it was taken."),
    photo("/v1/photos/:id/preview", "preview", "A small picture of a photo, made by the relay."),
    {
      method: "GET",
      path: "/v1/visits/:id/photos",
      access: "device",
      does: "Which photos of a visit are at HQ, which are owed, and when their phone was last heard.",
      handle: async (context, caller) => {
        const id = idSchema.safeParse(context.req.param("id"));
        if (!id.success) return { code: "request.malformed", detail: "a visit's id is a UUID" } satisfies Refusal;
        return context.json(await manifests.ofVisit(id.data, (person) => maySee(caller as Caller, person)));
      },
    },
    {
      method: "GET",
      path: "/v1/people/:person/photos",
      access: "device",
      does: "The same for the newest 200 photos of a person.",
      handle: async (context, caller) => {
        const person = context.req.param("person") ?? "";
        if (!maySee(caller as Caller, person)) return { code: "auth.role" } satisfies Refusal;
        return context.json(await manifests.ofPerson(person));
      },
    },
  ];
}
