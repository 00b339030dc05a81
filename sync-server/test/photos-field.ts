import { eventKinds, type EventBody } from "@sampai/engine";
import { sha256Hex } from "@sampai/engine/core";
import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import sharp from "sharp";
import { sampai } from "./relay-process.ts";
import { enrolPhone, type TestEvent, type WirePhone } from "./wire-phone.ts";

/** A picture that no encoder can shrink much, so that its size can be chosen. */
export async function noisyPicture(width: number, height: number, quality = 80): Promise<Uint8Array> {
  const raw = { width, height, channels: 3 as const };
  return new Uint8Array(
    await sharp(randomBytes(width * height * 3), { raw })
      .jpeg({ quality })
      .toBuffer(),
  );
}

export async function enrolAs(
  url: string,
  dir: string,
  person: string,
  role: string,
  territories = role === "rep" ? "T1" : "*",
): Promise<WirePhone> {
  const words = ["--person", person, "--name", person, "--role", role, "--territories", territories];
  const { status, out, err } = await sampai("enrol", "--dir", dir, ...words);
  assert.equal(status, 0, err);
  return enrolPhone(url, (JSON.parse(out) as { code: string }).code);
}

export interface TakenPhoto {
  readonly id: string;
  readonly visit: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** Says in the order log that photos were taken, as a phone does before it offers their bytes. */
export function photoTaker(phone: WirePhone) {
  let last: TestEvent | null = null;
  const make = (bytes: Uint8Array, change: Partial<EventBody<"photoCaptured">> = {}, visit: string = randomUUID()) => {
    const body = {
      ...eventKinds.photoCaptured.golden,
      sha256: sha256Hex(bytes),
      bytes: Math.max(1, bytes.length),
      ...change,
    };
    const [event] = phone.events(1, {
      ...(last === null ? {} : { run: last.run, from: last.seq + 1 }),
      after: last,
      change: (envelope) => ({ ...envelope, kind: eventKinds.photoCaptured.name, visit, body }),
    });
    last = event as TestEvent;
    const photo: TakenPhoto = { id: last.id, visit, bytes, sha256: body.sha256 };
    return { event: last, photo };
  };
  const place = async (event: TestEvent) => {
    const talk = await phone.connect();
    const answer = await talk.ask(phone.appendMessage(1, [event]));
    assert.equal(answer.type, "appended", JSON.stringify(answer));
    talk.socket.close();
    await talk.closed;
  };
  return {
    make,
    place,
    take: async (bytes: Uint8Array, change?: Partial<EventBody<"photoCaptured">>, visit?: string) => {
      const { event, photo } = make(bytes, change, visit);
      await place(event);
      return photo;
    },
  };
}

/** Compared at once: to tell byte by byte how two pictures differ takes all the memory that there is. */
export const isSame = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;

/** tus 1.0.0 by hand, so that it can also be spoken wrongly. */
export function tusOf(url: string, token: string | null) {
  const auth: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const ask = async (
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: Uint8Array | ReadableStream<Uint8Array>,
    signal: AbortSignal | null = null,
  ) => {
    const init: RequestInit & { duplex: "half" } = {
      method,
      headers: { "tus-resumable": "1.0.0", ...auth, ...headers },
      ...(body === undefined ? {} : { body: body as BodyInit }),
      duplex: "half",
      signal,
    };
    const answer = await fetch(new URL(path, url), init);
    const text = await answer.text();
    const code =
      answer.headers.get("content-type") === "application/problem+json"
        ? (JSON.parse(text === "" ? "{}" : text) as { code?: string }).code
        : undefined;
    return {
      status: answer.status,
      code: code ?? answer.headers.get("sampai-refusal") ?? undefined,
      location: answer.headers.get("location") ?? "",
      offset: Number(answer.headers.get("upload-offset") ?? Number.NaN),
      headers: answer.headers,
    };
  };
  const encode = (metadata: Record<string, string>) =>
    Object.entries(metadata)
      .map(([name, value]) => `${name} ${Buffer.from(value).toString("base64")}`)
      .join(",");
  const begin = (photo: string, part: string, sha256: string, length: number) =>
    ask("POST", "/files/", { "upload-length": String(length), "upload-metadata": encode({ photo, part, sha256 }) });
  const add = (location: string, offset: number, bytes: Uint8Array) =>
    ask(
      "PATCH",
      location,
      { "upload-offset": String(offset), "content-type": "application/offset+octet-stream" },
      bytes,
    );
  const withUpload = (photo: TakenPhoto, part: "preview" | "original", bytes: Uint8Array) => ({
    "upload-length": String(bytes.length),
    "upload-metadata": encode({ photo: photo.id, part, sha256: createHash("sha256").update(bytes).digest("hex") }),
    "content-type": "application/offset+octet-stream",
  });
  return {
    ask,
    begin,
    add,
    head: (location: string) => ask("HEAD", location),
    /** The same with all bytes in the first request, as tus's creation-with-upload has it. */
    sendAtOnce: (photo: TakenPhoto, part: "preview" | "original", bytes = photo.bytes) =>
      ask("POST", "/files/", withUpload(photo, part, bytes), bytes),
    /** The same with a body that the test writes as it likes; `signal` breaks the request off. */
    sendHeld: (photo: TakenPhoto, body: ReadableStream<Uint8Array>, signal: AbortSignal) =>
      ask("POST", "/files/", withUpload(photo, "original", photo.bytes), body, signal),
    /** Begins an upload and sends all of it in one piece. */
    send: async (photo: TakenPhoto, part: "preview" | "original", bytes = photo.bytes) => {
      const begun = await begin(photo.id, part, createHash("sha256").update(bytes).digest("hex"), bytes.length);
      return begun.status === 201 ? add(begun.location, 0, bytes) : begun;
    },
    read: async (path: string) => {
      const answer = await fetch(new URL(path, url), { headers: auth });
      return { status: answer.status, headers: answer.headers, bytes: new Uint8Array(await answer.arrayBuffer()) };
    },
  };
}
